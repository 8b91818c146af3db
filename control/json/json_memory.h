#pragma once
// The JSON library's memory: cheap for small documents, and whatever is given back is wiped. Called
// before the library's first use; any thread, but a document stays with the thread that made it.

void json_memory_init(void);
