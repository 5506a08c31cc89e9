DELETE FROM "mail_events" USING "mail_deliveries" WHERE "mail_events"."job_id" = "mail_deliveries"."job_id" AND "mail_deliveries"."template" = 'unreadMessages';
DELETE FROM "mail_deliveries" WHERE "template" = 'unreadMessages';
ALTER TABLE "mail_deliveries" DROP CONSTRAINT "mail_deliveries_template_check";
ALTER TABLE "mail_deliveries" ADD CONSTRAINT "mail_deliveries_template_check" CHECK ("mail_deliveries"."template" in ('orderConfirmed', 'orderShipped', 'orderCancelled', 'reportReady', 'operatorAlert', 'sessionReused', 'passwordReset', 'passwordChanged', 'verifyEmail', 'accountExists', 'confirmNewEmail', 'emailChangeAsked', 'emailChanged', 'fileInfected', 'infectedAlert'));
