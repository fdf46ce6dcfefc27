import { launch } from './launch.mjs'; import { AxeBuilder } from '@axe-core/playwright'; import fs from 'fs';
const d=JSON.parse(fs.readFileSync('/tmp/d3/demo.json')); const base='http://127.0.0.1:5199';
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
for (const [locale,scheme] of [['es-MX','light'],['en-US','dark']]) { const b=await launch({locale,scheme}); const p=b.page;
for (const [who,paths] of [[d.agent,['/agente']],[d.supervisor,['/supervisor']],[d.manager,['/campanas','/campanas/cartera','/campanas/segmentos','/campanas/deudores','/campanas/gestiones','/campanas/grabaciones']]]) {
 await p.goto(base); await p.locator('[name=username]').fill(who.username); await p.locator('[name=password]').fill(who.password); await p.locator('[type=submit]').click(); await p.locator('header.top').waitFor();
 for (const path of paths) { await p.goto(base+path); await p.waitForTimeout(1200);
  const {violations}=await new AxeBuilder({page:p}).withTags(TAGS).analyze();
  for (const v of violations) for (const n of v.nodes.slice(0,3)) console.log(locale,scheme,path,v.id,n.target.join(' '),n.html.slice(0,200), n.failureSummary.replace(/\n/g,' ').slice(0,200));
  await p.setViewportSize({width:683,height:384}); await p.waitForTimeout(250);
  const o=await p.evaluate(()=>document.documentElement.scrollWidth-innerWidth); if (o>0) console.log('zoom',path,o, await p.evaluate(()=>[...document.querySelectorAll('*')].filter(x=>x.getBoundingClientRect().right>innerWidth+1).slice(0,5).map(x=>x.tagName+'.'+x.className)));
  await p.setViewportSize({width:1366,height:768});
 }
 await p.getByRole('button',{name:/^(Salir|Sign out)$/}).click(); await p.locator('[name=username]').waitFor();
} await b.close(); }
