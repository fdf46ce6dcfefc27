//! What persons and recordings say when a call is answered, by region; those of `held` are others.

/// Sentences of one set.
pub(crate) struct Phrases {
    /// A person, in a word or two.
    pub short: &'static [&'static str],
    /// A person, in a sentence.
    pub sentence: &'static [&'static str],
    /// A person at a company's telephone.
    pub company: &'static [&'static str],
    /// A carrier's mailbox or announcement.
    pub carrier: &'static [&'static str],
    /// A mailbox with a greeting of its owner.
    pub personal: &'static [&'static str],
    /// Share of the persons who answer behind an exchange that beeps first: calls that no set for a score has.
    pub exchange: f64,
    /// Each voice is a little another and each recording pauses as it likes: for tuning alone.
    pub varied: bool,
}

impl Phrases {
    /// How fast a sentence is said, 0 to 2: as drawn; for tuning, where voices vary anyway, each sentence has one pace,
    /// so that far fewer have to be said.
    pub(crate) fn pace(&self, drawn: u32, text: &str) -> u32 {
        if self.varied {
            u32::from(text.bytes().fold(0, u8::wrapping_add) % 3)
        } else {
            drawn
        }
    }
}

/// For calls without a speech engine: the sentences for the score, since nothing is tuned on these.
pub(crate) const BARE: Phrases = Phrases {
    exchange: 0.2,
    ..HELD
};

/// For tuning.
pub(crate) const TUNE: Phrases = Phrases {
    short: &[
        "¿Bueno?",
        "Aló.",
        "Diga.",
        "¿Sí?",
        "Hola.",
        "¿Aló?",
        "Dígame.",
        "¿Sí, diga?",
        "¿Quién es?",
        "Bueno, ¿quién habla?",
        "Sí, hola.",
        "¿Mande?",
    ],
    sentence: &[
        "Hola, buenas tardes.",
        "Sí, buenos días, dígame.",
        "Aló, ¿con quién hablo?",
        "Bueno, ¿de parte de quién?",
        "Sí, soy yo, ¿qué se le ofrece?",
        "Hola, ¿quién llama?",
        "Buenas, ¿con quién quiere hablar?",
        "Sí, un momento por favor.",
    ],
    company: &[
        "Ferretería López, buenas tardes.",
        "Buenos días, taller mecánico Rivera, ¿en qué le puedo ayudar?",
        "Consultorio del doctor Méndez, le atiende Carmen.",
        "Farmacia San José, buenas noches, dígame.",
        "Transportes del Norte, habla Ricardo, ¿en qué le puedo servir?",
        "Gracias por llamar a Muebles Andrade, le atiende Lucía.",
        "Oficina de contabilidad, buenos días.",
        "Restaurante El Fogón, buenas tardes, ¿desea hacer una reservación?",
    ],
    carrier: &[
        "El número que usted marcó no está disponible en este momento. Por favor intente más tarde.",
        "Ha sido transferido al buzón de voz. Deje su mensaje después del tono.",
        "El cliente que usted llama tiene el teléfono apagado o se encuentra fuera del área de servicio.",
        "Bienvenido al buzón de mensajes. La persona a la que llama no puede contestar. Después de la señal, deje su mensaje y cuelgue.",
        "Le informamos que el suscriptor no está disponible. Si desea dejar un mensaje, hágalo después del tono.",
        "El usuario no se encuentra disponible, deje su mensaje al oír la señal.",
        "Este es el contestador de Movistar. Puede dejar un mensaje después de la señal.",
        "Buzón de voz. La llamada tendrá costo a partir de este momento.",
        "Lo sentimos, el número marcado no existe. Verifique la numeración y vuelva a llamar.",
        "Usted se ha comunicado con el sistema de correo de voz. Por favor grabe su mensaje.",
    ],
    personal: &[
        "Hola, soy Juan, ahora no puedo contestar. Deja tu mensaje.",
        "Te has comunicado con Patricia, en este momento no puedo atenderte, déjame tu mensaje después del tono.",
        "Este es el teléfono de la familia Gómez. No estamos en casa. Deje su recado, gracias.",
        "Hola, llamas a Andrés. Deja tu mensaje y te llamo en cuanto pueda.",
        "No estoy disponible, deja tu nombre y tu número.",
        "Gracias por llamar a Servicios Integrales. Nuestro horario es de nueve a seis. Deje su mensaje.",
        "Habla Teresa Morales. Por el momento no puedo tomar la llamada, deje un mensaje y me comunicaré a la brevedad.",
        "Hola, no puedo atenderte, mándame un mensaje.",
    ],
    exchange: 0.0,
    varied: false,
};

/// The same for varied voices.
pub(crate) const VARIED: Phrases = Phrases {
    varied: true,
    ..TUNE
};

/// More for tuning: shorter first sentences of recordings, longer ones of persons.
pub(crate) const MORE: Phrases = Phrases {
    short: &[
        "Aló, sí.",
        "¿Quién?",
        "Mande usted.",
        "¿Hola, hola?",
        "Sí, señor.",
        "Aquí estoy.",
        "Adelante.",
        "Buen día.",
        "Oigo.",
        "¿Hola, sí?",
        "¿Qué pasó?",
        "Un momento.",
    ],
    sentence: &[
        "Buenas noches, ¿con quién tengo el gusto?",
        "Hola, sí, soy yo.",
        "Bueno, bueno, ¿me escucha?",
        "¿Quién habla, por favor?",
        "Sí, hola, ¿cómo está?",
        "Aló, aló, sí, dígame usted.",
        "No se oye, ¿quién es?",
        "Sí, la misma, ¿para qué sería?",
        "Diga, diga, lo escucho.",
        "Sí, casa de la familia Ruiz, buenas tardes.",
        "Ahora no puedo hablar, ¿quién es?",
        "Hola, mi amor, ya voy llegando.",
    ],
    company: &[
        "Librería Cervantes, le habla Andrea, buenas tardes.",
        "Laboratorio Vida, muy buenos días, ¿en qué le ayudo?",
        "Banco del Sur, buenas tardes, habla Pedro Suárez, ¿con quién tengo el gusto?",
        "Recepción, buenos días.",
        "Autopartes Gómez, a sus órdenes.",
        "Escuela Primaria Benito Juárez, buenos días, dirección.",
        "Veterinaria Huellitas, ¿sí, diga?",
        "Bufete Castillo, buenas tardes, le atiende Rosa, ¿me permite un momento?",
        "Hola, buenas, Pizzería Nápoles, ¿para llevar o para comer aquí?",
        "Taller Los Primos, ¿bueno?",
    ],
    carrier: &[
        "Buzón de voz. Deje su mensaje.",
        "Este número no recibe llamadas.",
        "La línea que usted marcó está fuera de servicio. Gracias.",
        "El abonado no contesta. Al oír la señal, grabe su mensaje. Para terminar, cuelgue.",
        "Mensaje de la red. El teléfono móvil al que usted llama no está conectado.",
        "Bienvenido. Ha llamado al contestador automático. Grabe su mensaje a continuación.",
        "Su llamada está siendo transferida a un sistema de mensajes. Espere, por favor.",
        "Por el momento el cliente no puede atenderle. Puede dejar un mensaje de texto o de voz.",
        "Recuerde que antes de los celulares ya no debe marcar cero cuarenta y cuatro. Vuelva a marcar.",
        "Información gratuita. La numeración marcada es incorrecta. Consulte la guía.",
        "El número de destino tiene restringidas las llamadas entrantes.",
        "Casilla de mensajes. El titular de la línea no atiende. Deje un mensaje luego del tono.",
    ],
    personal: &[
        "Hola. Soy Rosa. Deja tu recado.",
        "Ya sabes qué hacer, deja el mensaje.",
        "Buenas, este es el número de Camilo Restrepo. Ahora mismo estoy en una reunión, déjeme su razón y le marco más tarde.",
        "Hola, hola. No, es una grabación. Deja tu mensaje y luego te llamo.",
        "Estás llamando a la casa de los Pérez. Salimos un momento. Deja tu mensaje después de la señal.",
        "Consultorio dental Sonrisas. Nuestras líneas están cerradas. Llame de lunes a viernes.",
        "Soy Marta. No te puedo atender. Chao.",
        "No estamos. Deja tu mensaje.",
        "Gracias por su llamada. En breve le atenderemos. No cuelgue, por favor.",
        "Hola, habla el contestador de Lucho. Si es urgente, escríbeme al celular. Si no, deja tu mensaje, chao.",
    ],
    exchange: 0.0,
    varied: true,
};

/// For the score alone.
pub(crate) const HELD: Phrases = Phrases {
    short: &[
        "¿Bueno?",
        "¡Aló!",
        "¿Diga?",
        "Sí.",
        "¡Hola!",
        "¿Quién habla?",
        "A ver.",
        "¿Qué hubo?",
        "Buenas.",
        "Pronto.",
        "Sí, bueno.",
        "Cuénteme.",
    ],
    sentence: &[
        "Muy buenas noches.",
        "Bueno, sí, ¿quién me busca?",
        "Sí, ella habla, dígame.",
        "Aló, buenas, a la orden.",
        "Hola, ¿qué tal, quién es?",
        "Diga, ¿qué desea?",
        "Sí, con él habla.",
        "Buenos días, ¿de dónde llaman?",
    ],
    company: &[
        "Panadería La Espiga, a la orden.",
        "Clínica Santa Lucía, buenos días, habla Marisol.",
        "Buenas tardes, refaccionaria El Toro, ¿qué necesita?",
        "Colegio San Martín, dirección, muy buenos días.",
        "Hotel Plaza Mayor, recepción, ¿en qué puedo ayudarle?",
        "Despacho Herrera y Asociados, buenas tardes.",
        "Inmobiliaria Costa Azul, le saluda Fernando, ¿cómo le va?",
        "Ferretería Central, diga.",
    ],
    carrier: &[
        "El número al que llama está apagado o fuera de cobertura en este momento.",
        "Bienvenido al buzón de voz de Telcel. Grabe su mensaje después del tono, al terminar cuelgue o presione gato.",
        "La persona a la que usted llamó no está disponible. Su llamada será dirigida al buzón de mensajes.",
        "Claro le informa que el número marcado no se encuentra en servicio.",
        "En este momento no podemos atender su llamada, inténtelo de nuevo más tarde.",
        "Entel le informa: el teléfono que usted marcó se encuentra temporalmente suspendido.",
        "Correo de voz. Por favor deje su mensaje después de la señal.",
        "Estimado cliente, todas las líneas se encuentran ocupadas. Por favor, espere o vuelva a intentarlo.",
        "Está llamando a un número que tiene activado el servicio de contestador. Hable después de oír la señal.",
    ],
    personal: &[
        "Hola, te habla Mónica, no te puedo contestar ahora, déjame un mensaje y te devuelvo la llamada.",
        "Usted se comunicó con Jorge Salas. Deje sus datos y le llamo.",
        "Somos la familia Ortega, en este momento no nos encontramos, después de la señal deje su recado.",
        "Qué tal, soy Beto, estoy ocupado. Deja mensaje.",
        "Gracias por llamar a Talleres Unidos. Por ahora estamos cerrados, llámenos mañana a partir de las ocho.",
        "Ahorita no puedo contestar, mejor escríbeme.",
        "Este es el buzón de Claudia. Después del bip, ya sabes qué hacer.",
    ],
    exchange: 0.0,
    varied: false,
};
