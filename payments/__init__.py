"""The payment gateway's door: PhonePe's REST API, translated into the domain's PaymentGateway."""
