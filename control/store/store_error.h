#pragma once
// How the parts of the store say what is wrong, where, and how to go on.

#define STORE_RESTORE "restore the folder from a back-up (operations guide, \"Damaged store\")"

// Writes the text into error[STORE_ERROR_MAX], cut off if it must be, and returns status.
int store_error(char *error, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
