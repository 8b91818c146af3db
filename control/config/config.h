#pragma once
// The configuration: one YAML file, every option with a default, an empty file is a whole one. The
// table in config_schema.c is the one list of options: name, form, range, default and help come
// from it. A configuration never changes after it was loaded; a reload makes a new one. Any thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/akma.h"

enum {
	CONFIG_CLIENTS_MAX = 1024,
	CONFIG_OPTIONS_MAX = 64,
	CONFIG_ERROR_MAX = 512,
	CONFIG_EAL_MAX = 32,
	CONFIG_EAL_ARGUMENT_MAX = 255, // characters
	CONFIG_PORTS_MAX = 8,
	CONFIG_ADDRESSES_MAX = 4,
	CONFIG_NEIGHBOURS_MAX = 64,
};

enum config_role { CONFIG_ROLE_AUSF, CONFIG_ROLE_OPERATOR, CONFIG_ROLE_AF };

#define CONFIG_RATE_MAX 1000000000000ull // datagrams a second

// Of pauses between laps (docs/specification.md 6: a target at most every 2.5 s).
enum {
	CONFIG_LAP_PAUSE_MIN_MS = 2500,
	CONFIG_LAP_PAUSE_LIMIT_MS = 3600 * 1000,
	CONFIG_LAP_PAUSE_MAX_LIMIT_MS = 86400 * 1000,
};

// A TLS client: a name of its certificate and what it may do.
struct config_client {
	char *name; // subjectAltName DNS, or the subject's CN
	enum config_role role;
	char af[AKMA_FQDN_MAX + 1]; // of CONFIG_ROLE_AF, normalised
};

// A port of DPDK. Addresses are 16 octets, IPv4 as ::ffff:a.b.c.d.
struct config_port {
	char *device;
	struct {
		uint8_t ip[16];
		unsigned prefix; // bits of the 128
	} address[CONFIG_ADDRESSES_MAX];
	unsigned n_addresses;
	uint8_t gateway[2][16]; // of IPv4, of IPv6
	bool has_gateway[2];
	struct {
		uint8_t ip[16], mac[6];
	} neighbour[CONFIG_NEIGHBOURS_MAX];
	unsigned n_neighbours;
	uint16_t vlan; // 0: none
	bool udp_checksum;
};

struct config {
	struct {
		char *address;
		uint16_t port;
	} listen;
	struct {
		char *address;
		uint16_t port;
		char *certificate; // NULL: no TLS
		char *key;
		char *ca;
		struct config_client *clients;
		unsigned n_clients;
	} tls;
	struct {
		char *socket;
	} admin;
	struct {
		char *path;
		char *kek;
		uint64_t room_min; // octets
		bool verify;
	} store;
	struct {
		uint32_t workers;
		char *cpus; // of the workers, a list of as many; NULL: the system decides
		uint32_t ues;
		uint32_t pushes;
		char *io;
		char *sha256;       // NULL: the best
		char *aead;         // NULL: the best
		uint64_t kaf_cache; // octets
		char *source_ipv4;  // NULL: any
		char *source_ipv6;
		uint16_t source_port;
		uint32_t burst;
		uint64_t rate; // datagrams a second in all; 0: no limit
		uint32_t lap_pause_ms;
		uint32_t lap_pause_max_ms;
	} dataplane;
	struct {
		char *eal[CONFIG_EAL_MAX]; // arguments
		unsigned n_eal;
		unsigned n_eal_added; // of them, the last: not of the file
		struct config_port *ports;
		unsigned n_ports;
	} dpdk;
	struct {
		uint32_t kaf_lifetime_s;
		bool require_af_registration;
		uint8_t mode_d_id[AKMA_UA_STAR_ID];
		uint8_t mode_k_id[AKMA_UA_STAR_ID];
	} akma;
	struct {
		uint32_t validity_max_s;
		uint32_t targets_max;
		uint32_t strangers_max; // of an AF, a day
		uint32_t idempotency_retention_s;
		uint32_t results_retention_s;
		uint32_t checkpoint_interval_ms;
	} push;
	struct {
		uint64_t body_max;    // octets
		uint32_t streams_max; // of one connection
		uint32_t connections_max;
		uint32_t requests_max; // under way
	} http;
	struct {
		char *level;
	} log;

	unsigned line[CONFIG_OPTIONS_MAX]; // of each option in its file; 0: the default holds
};

// Takes one thing that is wrong: "file:line: option: found …, expected …".
typedef void (*config_report)(void *ctx, const char *text);

// Reads a file; NULL gives the defaults. Everything wrong in it is reported; then -EINVAL. -errno
// when the file can't be read (reported too), -ENOMEM.
int config_load(const char *file, struct config **config, config_report report, void *ctx);
// The same from text; `name` stands for the file in reports.
int config_parse(const char *text, size_t len, const char *name, struct config **config,
		 config_report report, void *ctx);
void config_free(struct config *config); // NULL is fine

// Appends arguments of the command line to dpdk.eal, which differences pass over: a file that is
// read again does not have them. 0; -EINVAL and what was reported, and none is added; -ENOMEM.
int config_add_eal(struct config *config, char *const arguments[], unsigned n, config_report report,
		   void *ctx);

// What can only be seen outside of the file: that files named in it are there and readable.
// 0, or -EINVAL and what was reported.
int config_check(const struct config *config, const char *name, config_report report, void *ctx);

// Calls `each` for every option that differs; `live` when it may change while the daemon runs.
typedef void (*config_change)(void *ctx, const char *option, const char *from, const char *to,
			      bool live);
void config_diff(const struct config *from, const struct config *to, config_change each, void *ctx);

// Writes all options with their help and defaults as YAML comments: a file to start from.
int config_print_example(int fd); // 0, -errno
