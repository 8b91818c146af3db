#pragma once
// The control plane's parts, put together once by akmapushd.c. One loop thread owns all of it; only
// the store's writer and the data plane's workers run beside it.

#include <stdbool.h>
#include <stdint.h>

struct af_registry;
struct apply;
struct config;
struct dp;
struct group_registry;
struct http_server;
struct loop;
struct push_asks;
struct push_registry;
struct store;
struct traces;
struct ue_registry;

struct clock;

struct app {
	const struct config *config;
	const struct clock *clock;
	struct loop *loop;
	struct store *store;
	struct dp *dp;
	struct apply *apply;
	struct ue_registry *ues;
	struct af_registry *afs;
	struct group_registry *groups;
	struct push_registry *pushes;
	struct push_asks *asks; // on their way to be pushes
	struct traces *traces;
	struct http_server *http;
	uint64_t started_ms; // Unix milliseconds
	bool is_ending;
};
