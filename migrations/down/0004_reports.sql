DROP TABLE "reports";
