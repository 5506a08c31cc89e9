DROP TABLE "upload_remains";
DROP TABLE "upload_events";
DROP TABLE "uploads";
