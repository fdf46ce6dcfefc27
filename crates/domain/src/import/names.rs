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
];
