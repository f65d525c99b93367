"""The payment gateway's adapter: PhonePe's REST API, translated into the domain's PaymentGateway."""
