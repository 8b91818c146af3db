// A device in one page: libakmapush-ue on a UDP socket, with its state in a file.
//
//	akmapush-ue-example STATE PORT KAKMA [new]
//
// STATE is a file; PORT is 48470 unless registered otherwise; KAKMA, 64 hex digits, stands for what
// the modem tells after a primary authentication; "new" is given once, when the device is made, as
// from then on a STATE that is not there was lost. To begin with your own device, change what is
// marked.

#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ue/akmapush_ue.h" // <akmapush_ue.h> once it is installed

// Change: from whom pushes are taken, and where their push functions are. IPv4 is ::ffff:a.b.c.d;
// port 0 stands for every port of that address.
static const struct akmapush_ue_address push_functions[] = {
	{.octets = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}, .port = 0},
};
static const struct akmapush_ue_af afs[] = {
	{"meter.example.com", {0xff, 0x41, 0x4b, 0x50, 0x01}, push_functions, 1},
};
static const struct akmapush_ue_config config = {
	.crypto = &akmapush_ue_crypto_builtin,
	.afs = afs,
	.n_afs = 1,
};

static uint64_t memory[AKMAPUSH_UE_SIZE(1, 64, 0, 0) / sizeof(uint64_t)];
static uint8_t blob[8192]; // change: at least akmapush_ue_state_max(&config)
static struct akmapush_ue *ue;
static const char *state_path;

// Change: elapsed time counts sleep as well, and a clock is trusted if it was set from where no
// attacker can move it, which NTP without authentication is not.
static struct akmapush_ue_now now(void)
{
	struct timespec elapsed;

	clock_gettime(CLOCK_MONOTONIC, &elapsed);
	return (struct akmapush_ue_now){
		.ms = (uint64_t)elapsed.tv_sec * 1000 + (uint64_t)elapsed.tv_nsec / 1000000,
		.unix_s = (uint32_t)time(NULL),
		.trusted = false,
	};
}

// Change: whatever your storage is, it has the old state or the new one after a power cut.
static bool save(void)
{
	struct akmapush_ue_now t = now();
	int32_t n = akmapush_ue_save(ue, &t, blob, sizeof(blob));
	char path[4096];
	bool ok;
	int fd;

	if (n < 0 || snprintf(path, sizeof(path), "%s.new", state_path) >= (int)sizeof(path))
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return false;
	ok = write(fd, blob, (size_t)n) == n && fsync(fd) == 0;
	return close(fd) == 0 && ok && rename(path, state_path) == 0;
}

static int load(void)
{
	struct akmapush_ue_now t = now();
	int fd = open(state_path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, blob, sizeof(blob));

	if (fd >= 0)
		close(fd);
	return akmapush_ue_load(ue, &t, blob, n < 0 ? 0 : (size_t)n);
}

// A key that was current before changes nothing. Lists that are lost are rule 7: without a trusted
// clock the device waits for another key.
static int start(const uint8_t kakma[32], bool is_new)
{
	struct akmapush_ue_now t = now();
	int error;

	ue = akmapush_ue_init(memory, sizeof(memory), &config);
	if (!ue || akmapush_ue_state_max(&config) > sizeof(blob))
		return AKMAPUSH_UE_EINVAL;
	if (is_new || load() == 0)
		error = akmapush_ue_set_kakma(ue, kakma, &t);
	else
		error = akmapush_ue_recover(ue, kakma, NULL, &t);
	return error || save() ? error : AKMAPUSH_UE_ENOROOM;
}

// Change: the application. True: acted upon.
static bool act(const struct akmapush_ue_push *push)
{
	printf("%.*s\n", (int)push->payload_len, (const char *)push->payload);
	return fflush(stdout) == 0;
}

// The order is the protocol's: save, then act, then acknowledge.
static void on_datagram(int fd, const uint8_t *datagram, size_t len,
			const struct akmapush_ue_address *source)
{
	static uint8_t scratch[AKMAPUSH_UE_SEGMENT_MAX], ack[AKMAPUSH_UE_DATAGRAM_MAX];
	struct sockaddr_in6 to = {.sin6_family = AF_INET6};
	struct akmapush_ue_address address;
	struct akmapush_ue_now t = now();
	struct akmapush_ue_push push;
	enum akmapush_ue_outcome outcome;
	int32_t n;

	outcome = akmapush_ue_input(ue, datagram, len, source, &t, scratch, &push);
	if (push.persist && !save()) {
		if (outcome == AKMAPUSH_UE_DELIVERED)
			akmapush_ue_withdraw(ue, &push.id); // not stored, so not delivered
		return;
	}
	if (outcome == AKMAPUSH_UE_DELIVERED) {
		akmapush_ue_answer(ue, &push.id, act(&push) ? 1 : 2, NULL, 0, &t);
		if (!save())
			return; // the next copy is acknowledged
	}
	n = akmapush_ue_ack(ue, &push.id, &t, ack, sizeof(ack), &address);
	if (n <= 0)
		return; // nothing to send, or too soon: another copy will come
	memcpy(&to.sin6_addr, address.octets, sizeof(address.octets));
	to.sin6_port = htons(address.port);
	if (sendto(fd, ack, (size_t)n, 0, (struct sockaddr *)&to, sizeof(to)) != n)
		perror("sendto");
}

static void receive(int fd)
{
	uint8_t datagram[AKMAPUSH_UE_DATAGRAM_MAX + 1]; // one more shows what is too long
	struct akmapush_ue_address source;
	struct sockaddr_in6 from;
	socklen_t from_len = sizeof(from);
	ssize_t n =
		recvfrom(fd, datagram, sizeof(datagram), 0, (struct sockaddr *)&from, &from_len);

	if (n < 0)
		return;
	memcpy(source.octets, &from.sin6_addr, sizeof(source.octets));
	source.port = ntohs(from.sin6_port);
	on_datagram(fd, datagram, (size_t)n, &source);
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(AF_INET6, SOCK_DGRAM, 0), v4_too = 0;

	if (fd < 0 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v4_too, sizeof(v4_too)) ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any))) {
		perror("socket");
		exit(1);
	}
	return fd;
}

static bool hex(const char *text, uint8_t kakma[32])
{
	if (strlen(text) != 64)
		return false;
	for (unsigned i = 0; i < 32; i++)
		if (sscanf(text + 2 * i, "%2hhx", &kakma[i]) != 1)
			return false;
	return true;
}

int main(int argc, char **argv)
{
	uint8_t kakma[32];
	struct pollfd socket = {.events = POLLIN};
	int error;

	if (argc < 4 || !hex(argv[3], kakma)) {
		fputs("usage: akmapush-ue-example STATE PORT KAKMA [new]\n", stderr);
		return 2;
	}
	state_path = argv[1];
	error = start(kakma, argc > 4);
	if (error) {
		fprintf(stderr, "no use of this key: error %d\n", error);
		return 1;
	}
	socket.fd = listen_on((uint16_t)atoi(argv[2]));
	for (;;) {
		struct akmapush_ue_now t;

		if (poll(&socket, 1, 60 * 1000) > 0)
			receive(socket.fd);
		t = now();
		if (akmapush_ue_poll(ue, &t)) // once a minute is enough
			save();
	}
}
