#pragma once
// Listening sockets: bind, accept, who may come in. Inside of the HTTP module.

struct http_server;
struct listener;

// Stops listening; a UNIX socket's file goes. NULL is fine.
void listener_close(struct listener *listener);
void listeners_close(struct http_server *server);
void listeners_resume(struct http_server *server); // after descriptors ran out
