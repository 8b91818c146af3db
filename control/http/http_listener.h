#pragma once
// Listening sockets: bind, accept, who may come in. Inside of the HTTP module.

struct http_server;

void listeners_close(struct http_server *server);  // a UNIX socket's file goes
void listeners_resume(struct http_server *server); // after descriptors ran out
