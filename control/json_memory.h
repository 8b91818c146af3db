#pragma once
// The JSON library's memory: whatever it frees is wiped first. Called before its first use.

void json_memory_init(void);
void json_memory_free(void *memory); // of what the library gave; NULL is fine
