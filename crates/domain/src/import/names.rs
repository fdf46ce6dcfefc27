//! Names that columns have in the files of this trade.

use super::Target;

/// Names that files of this trade use, per meaning, as [`plain`] writes them.
pub(super) const NAMES: &[(Target, &str)] = &[
    (
        Target::ExternalRef,
        "id_deudor deudor deudor_id clave_deudor cliente_id id_cliente no_cliente \
         num_cliente numero_de_cliente numero_cliente referencia debtor_id debtor \
         debtor_ref customer_id customer_number customer_ref ref",
    ),
    (
        Target::DebtRef,
        "credito no_credito num_credito numero_de_credito numero_credito id_credito \
         contrato no_contrato num_contrato numero_de_contrato numero_contrato cuenta \
         no_cuenta numero_de_cuenta obligacion numero_obligacion operacion id_deuda deuda \
         debt_id debt account account_number account_id loan_id contract contract_number",
    ),
    (
        Target::Name,
        "nombre nombre_completo nombre_deudor nombre_del_deudor titular razon_social \
         full_name debtor_name customer_name",
    ),
    (
        Target::Document,
        "documento numero_documento num_documento doc rfc curp cedula cc nit dni nie rut \
         run ruc cpf cnpj cuit cuil identificacion document_number national_id tax_id \
         id_number",
    ),
    (
        Target::Kind,
        "tipo tipo_persona tipo_de_persona debtor_kind person_type",
    ),
    (
        Target::Country,
        "pais codigo_pais pais_residencia country_code",
    ),
    (
        Target::Subdivision,
        "estado provincia departamento region comunidad uf state province",
    ),
    (Target::Language, "idioma lengua lang"),
    (
        Target::AddressZone,
        "zona_horaria huso huso_horario time_zone timezone zona",
    ),
    (
        Target::Product,
        "producto tipo_producto tipo_de_credito product_name",
    ),
    (Target::Currency, "moneda divisa currency_code"),
    (
        Target::Principal,
        "capital saldo_capital principal_amount capital_vigente saldo_de_capital",
    ),
    (
        Target::Interest,
        "interes intereses interest_amount intereses_moratorios",
    ),
    (
        Target::Fees,
        "gastos comisiones gastos_de_cobranza recargos cargos fee charges",
    ),
    (
        Target::Balance,
        "saldo saldo_total deuda_total adeudo adeudo_total total importe monto \
         monto_total amount amount_due total_due outstanding",
    ),
    (
        Target::Overdue,
        "vencido saldo_vencido importe_vencido monto_vencido overdue_amount \
         past_due_amount",
    ),
    (
        Target::Minimum,
        "minimo pago_minimo importe_minimo minimum_payment min_payment",
    ),
    (
        Target::DueDate,
        "vencimiento fecha_vencimiento fecha_de_vencimiento fecha_limite fecha_mora \
         fecha_primer_impago due due_on",
    ),
    (
        Target::DaysPastDue,
        "dias_mora dias_de_mora dias_vencidos dias_atraso dias_de_atraso mora dpd \
         days_late days_overdue",
    ),
    (
        Target::StatuteDate,
        "prescripcion fecha_prescripcion fecha_de_prescripcion prescribe prescribe_el \
         limitation_date statute_of_limitations",
    ),
    (
        Target::Items,
        "detalle_facturas detalle_de_facturas facturas_pendientes partidas_pendientes due_items \
         open_items open_invoices",
    ),
    (
        Target::Phone,
        "telefono telefono_1 telefono1 telefono_2 telefono2 telefono_3 telefono3 tel tel1 \
         tel2 tel_1 tel_2 fono phone_1 phone1 phone_2 phone2 phone_3 phone3 phone_number \
         telephone",
    ),
    (
        Target::PhoneMobile,
        "celular celular_1 celular_2 celular1 celular2 movil telefono_movil \
         telefono_celular cel mobile mobile_phone cell cell_phone",
    ),
    (
        Target::PhoneHome,
        "telefono_casa tel_casa casa telefono_domicilio home_phone fijo telefono_fijo",
    ),
    (
        Target::PhoneWork,
        "telefono_trabajo tel_trabajo tel_oficina telefono_oficina work_phone oficina",
    ),
    (
        Target::PhoneAuthorised,
        "autorizado telefono_autorizado autoriza_llamadas authorised authorized \
         phone_authorized",
    ),
    (
        Target::PhoneGivenByDebtor,
        "dado_por_deudor telefono_dado_por_deudor proporcionado_por_deudor \
         given_by_debtor",
    ),
    (
        Target::Score,
        "score puntaje calificacion score_cobranza puntuacion",
    ),
    (
        Target::Street,
        "direccion domicilio calle calle_y_numero direccion_deudor address street_address \
         address_line_1",
    ),
    (Target::City, "ciudad municipio localidad poblacion town"),
    (
        Target::AddressRegion,
        "estado_domicilio provincia_domicilio departamento_domicilio address_state",
    ),
    (
        Target::Postcode,
        "codigo_postal cp cod_postal postal_code zip zip_code post_code",
    ),
    (Target::AddressCountry, "pais_domicilio pais_direccion"),
    (
        Target::Email,
        "correo correo_1 correo1 correo_2 correo2 correo_3 correo3 correo_electronico \
         correo_electronico_1 correo_electronico_2 correo_deudor email_1 email1 email_2 email2 email_3 \
         email3 e_mail mail mail_1 mail_2 email_address",
    ),
    (
        Target::EmailAuthorised,
        "correo_autorizado autoriza_correo autoriza_correos email_authorized",
    ),
    (Target::EmailGivenByDebtor, "correo_dado_por_deudor"),
    (
        Target::CodeudorName,
        "codeudor nombre_codeudor nombre_del_codeudor codeudor_nombre co_debtor co_debtor_name \
         codeudor_1 nombre_codeudor_1 codeudor_1_nombre codeudor_2 nombre_codeudor_2 \
         codeudor_2_nombre codeudor_3 nombre_codeudor_3 codeudor_3_nombre",
    ),
    (
        Target::CodeudorPhone,
        "telefono_codeudor codeudor_telefono tel_codeudor celular_codeudor codeudor_celular \
         telefono_del_codeudor telefono_codeudor_1 codeudor_1_telefono codeudor_telefono_1 \
         telefono_codeudor_2 codeudor_2_telefono codeudor_telefono_2 telefono_codeudor_3 \
         codeudor_3_telefono codeudor_telefono_3",
    ),
    (
        Target::CodeudorEmail,
        "correo_codeudor codeudor_correo email_codeudor correo_del_codeudor \
         correo_electronico_codeudor correo_codeudor_1 codeudor_1_correo codeudor_correo_1 \
         correo_codeudor_2 codeudor_2_correo codeudor_correo_2 correo_codeudor_3 codeudor_3_correo \
         codeudor_correo_3",
    ),
    (
        Target::AvalName,
        "aval nombre_aval nombre_del_aval aval_nombre guarantor guarantor_name aval_1 nombre_aval_1 \
         aval_1_nombre aval_2 nombre_aval_2 aval_2_nombre aval_3 nombre_aval_3 aval_3_nombre",
    ),
    (
        Target::AvalPhone,
        "telefono_aval aval_telefono tel_aval celular_aval aval_celular telefono_del_aval \
         telefono_aval_1 aval_1_telefono aval_telefono_1 telefono_aval_2 aval_2_telefono \
         aval_telefono_2 telefono_aval_3 aval_3_telefono aval_telefono_3",
    ),
    (
        Target::AvalEmail,
        "correo_aval aval_correo email_aval correo_del_aval correo_electronico_aval correo_aval_1 \
         aval_1_correo aval_correo_1 correo_aval_2 aval_2_correo aval_correo_2 correo_aval_3 \
         aval_3_correo aval_correo_3",
    ),
    (
        Target::FiadorName,
        "fiador nombre_fiador nombre_del_fiador fiador_nombre surety surety_name fiador_1 \
         nombre_fiador_1 fiador_1_nombre fiador_2 nombre_fiador_2 fiador_2_nombre fiador_3 \
         nombre_fiador_3 fiador_3_nombre",
    ),
    (
        Target::FiadorPhone,
        "telefono_fiador fiador_telefono tel_fiador celular_fiador fiador_celular \
         telefono_del_fiador telefono_fiador_1 fiador_1_telefono fiador_telefono_1 telefono_fiador_2 \
         fiador_2_telefono fiador_telefono_2 telefono_fiador_3 fiador_3_telefono fiador_telefono_3",
    ),
    (
        Target::FiadorEmail,
        "correo_fiador fiador_correo email_fiador correo_del_fiador correo_electronico_fiador \
         correo_fiador_1 fiador_1_correo fiador_correo_1 correo_fiador_2 fiador_2_correo \
         fiador_correo_2 correo_fiador_3 fiador_3_correo fiador_correo_3",
    ),
    (
        Target::ObligadoSolidarioName,
        "obligado_solidario nombre_obligado_solidario nombre_del_obligado_solidario \
         obligado_solidario_nombre jointly_liable obligado_solidario_1 nombre_obligado_solidario_1 \
         obligado_solidario_1_nombre obligado_solidario_2 nombre_obligado_solidario_2 \
         obligado_solidario_2_nombre obligado_solidario_3 nombre_obligado_solidario_3 \
         obligado_solidario_3_nombre",
    ),
    (
        Target::ObligadoSolidarioPhone,
        "telefono_obligado_solidario obligado_solidario_telefono tel_obligado_solidario \
         celular_obligado_solidario obligado_solidario_celular telefono_del_obligado_solidario \
         telefono_obligado_solidario_1 obligado_solidario_1_telefono obligado_solidario_telefono_1 \
         telefono_obligado_solidario_2 obligado_solidario_2_telefono obligado_solidario_telefono_2 \
         telefono_obligado_solidario_3 obligado_solidario_3_telefono obligado_solidario_telefono_3",
    ),
    (
        Target::ObligadoSolidarioEmail,
        "correo_obligado_solidario obligado_solidario_correo email_obligado_solidario \
         correo_del_obligado_solidario correo_electronico_obligado_solidario \
         correo_obligado_solidario_1 obligado_solidario_1_correo obligado_solidario_correo_1 \
         correo_obligado_solidario_2 obligado_solidario_2_correo obligado_solidario_correo_2 \
         correo_obligado_solidario_3 obligado_solidario_3_correo obligado_solidario_correo_3",
    ),
    (
        Target::PartyAuthorised,
        "aval_autorizado codeudor_autorizado garantes_autorizados autoriza_aval autoriza_codeudor",
    ),
    (
        Target::PartyGivenByDebtor,
        "garantes_dados_por_deudor aval_dado_por_deudor codeudor_dado_por_deudor",
    ),
];

/// Names that files of consents use.
pub(super) const CONSENT_NAMES: &[(Target, &str)] = &[
    (
        Target::ConsentChannel,
        "canal medio via canal_de_contacto medio_de_contacto channel",
    ),
    (
        Target::ConsentState,
        "estado estatus accion movimiento consentimiento autorizacion tipo status state action",
    ),
    (
        Target::ConsentDate,
        "fecha fecha_consentimiento fecha_de_consentimiento fecha_autorizacion fecha_de_autorizacion \
         fecha_revocacion fecha_de_revocacion fecha_movimiento date consent_given_on",
    ),
    (
        Target::ConsentProof,
        "prueba evidencia soporte referencia_prueba referencia_de_la_prueba folio documento_soporte \
         documento_de_soporte grabacion proof evidence proof_reference",
    ),
    (Target::ConsentPurpose, "finalidad proposito para purpose"),
    (
        Target::ConsentUntil,
        "vigencia vence hasta fecha_fin fecha_de_fin valido_hasta until valid_until expires",
    ),
];
