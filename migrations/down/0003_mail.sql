DROP TABLE "mail_events", "mail_suppressions", "mail_deliveries";
