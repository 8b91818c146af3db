#pragma once
// The doors of the daemon: cleartext on loopback, TLS, admin socket, with the routes of all
// services behind them. Control thread only.

struct app;

// Opens them as the configuration has it; app->http is there then, for the caller to free, also
// when it failed. 0 or -errno.
int doors_open(struct app *app);
