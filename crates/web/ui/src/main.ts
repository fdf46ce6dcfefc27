import { mount } from 'svelte';
import App from './App.svelte';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import { startBeat } from './lib/clock.svelte';
import { startLang } from './lib/i18n.svelte';
import { startRouter } from './lib/router.svelte';
import { startSession } from './lib/session.svelte';
import { startTheme } from './lib/theme.svelte';

const target = document.getElementById('app');
if (!target) throw new Error('the page has no #app');
startTheme();
startRouter();
startBeat();
await startLang();
mount(App, { target });
void startSession();
