DROP TABLE "conversation_files";
