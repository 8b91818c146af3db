#include "dataplane/io/dpdk/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/io/dpdk/xdp_object.h" // made of xdp_program.c: xdp_octets

enum { MAPS_MAX = 8, PATH_LEN = 64 };

const void *xdp_object(size_t *len)
{
	*len = sizeof(xdp_octets);
	return xdp_octets;
}

static int wrong(char error[IO_ERROR_MAX], int status, const char *what)
{
	snprintf(error, IO_ERROR_MAX, "%s: %s%s", what, strerror(-status),
		 status == -EPERM || status == -EACCES
			 ? "; run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_NET_RAW"
			 : "");
	return status;
}

// ---- Before

static int check_sockets(char error[IO_ERROR_MAX])
{
	const int s = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	const int status = s < 0 ? -errno : 0;

	if (!status)
		close(s);
	return status ? wrong(error, status, "sockets of AF_XDP (CONFIG_XDP_SOCKETS)") : 0;
}

// Silently: what is wrong is told once, by the caller.
static int check_program(char error[IO_ERROR_MAX])
{
	const libbpf_print_fn_t print = libbpf_set_print(NULL);
	struct bpf_object *const object =
		bpf_object__open_mem(xdp_octets, sizeof(xdp_octets), NULL);
	int status = object ? bpf_object__load(object) : -errno;

	if (object)
		bpf_object__close(object);
	libbpf_set_print(print);
	return status ? wrong(error, status, "the kernel does not take the XDP program") : 0;
}

static int check_interface(unsigned interface, char error[IO_ERROR_MAX])
{
	char name[IF_NAMESIZE] = "?";
	uint32_t id = 0;
	const int status = bpf_xdp_query_id((int)interface, 0, &id);

	if (status)
		return wrong(error, status, "XDP on the interface");
	if (!id)
		return 0;
	if_indextoname(interface, name);
	snprintf(error, IO_ERROR_MAX,
		 "an XDP program is on %s already; to take it off: ip link set dev %s xdp off",
		 name, name);
	return -EBUSY;
}

int xdp_check(unsigned interface, bool is_ours, char error[IO_ERROR_MAX])
{
	int status = check_sockets(error);

	if (!status && is_ours)
		status = check_program(error);
	return status ? status : check_interface(interface, error);
}

int xdp_program_open(void)
{
	const int fd = memfd_create("akmapush_xdp", MFD_CLOEXEC);
	int status = fd < 0 ? -errno : 0;

	if (status)
		return status;
	if (write(fd, xdp_octets, sizeof(xdp_octets)) == (ssize_t)sizeof(xdp_octets))
		return fd;
	close(fd);
	return -EIO;
}

// ---- What the driver has loaded: it shows none of it, but it is in this process

// Looks at the descriptors of this process of a kind ("bpf-map") until is_it says so: that one, or
// -ENOENT. To go by ids instead would want CAP_SYS_ADMIN.
static int find_descriptor(const char *kind, bool (*is_it)(int fd, void *arg), void *arg)
{
	DIR *const all = opendir("/proc/self/fd");
	int found = -ENOENT;

	for (struct dirent *entry; all && found < 0 && (entry = readdir(all));) {
		char path[PATH_LEN], target[PATH_LEN];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%.20s", entry->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = 0;
		if (strstr(target, kind) && is_it(atoi(entry->d_name), arg))
			found = atoi(entry->d_name);
	}
	if (all)
		closedir(all);
	return found;
}

struct program {
	uint32_t id;
	uint32_t map[MAPS_MAX];
	unsigned n_maps;
};

static bool is_program(int fd, void *arg)
{
	struct program *const program = arg;
	struct bpf_prog_info info = {
		.map_ids = (uintptr_t)program->map,
		.nr_map_ids = MAPS_MAX,
	};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || info.id != program->id)
		return false;
	program->n_maps = info.nr_map_ids < MAPS_MAX ? info.nr_map_ids : MAPS_MAX;
	return true;
}

static bool is_map_of_ours(int fd, void *arg)
{
	const struct program *const program = arg;
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &len) || strcmp(info.name, XDP_OURS))
		return false;
	for (unsigned i = 0; i < program->n_maps; i++) {
		if (program->map[i] == info.id)
			return true;
	}
	return false;
}

// ---- Diverting

static int attach_anew(struct xdp *xdp, unsigned interface, int program, char error[IO_ERROR_MAX])
{
	int status = bpf_xdp_detach((int)interface, 0, NULL);

	if (status)
		return wrong(error, status, "the XDP program of the driver");
	xdp->link = bpf_link_create(program, (int)interface, BPF_XDP, NULL);
	return xdp->link < 0 ? wrong(error, xdp->link, "a link to the XDP program (Linux 5.9)") : 0;
}

static int put_keys(int map, const struct xdp_key key[], unsigned n, char error[IO_ERROR_MAX])
{
	const uint32_t yes = 1;

	for (unsigned i = 0; i < n; i++) {
		if (bpf_map_update_elem(map, &key[i], &yes, BPF_ANY))
			return wrong(error, -errno, "addresses and ports for the XDP program");
	}
	return 0;
}

int xdp_divert(struct xdp *xdp, unsigned interface, const struct xdp_key key[], unsigned n,
	       char error[IO_ERROR_MAX])
{
	struct program program = {0};
	int fd, map = -ENOENT, status;

	xdp->link = -1;
	status = bpf_xdp_query_id((int)interface, 0, &program.id);
	if (status)
		return wrong(error, status, "XDP on the interface");
	fd = find_descriptor("bpf-prog", is_program, &program);
	if (fd >= 0)
		map = find_descriptor("bpf-map", is_map_of_ours, &program);
	if (map < 0)
		return wrong(error, map, "the XDP program on the interface is not ours");
	status = attach_anew(xdp, interface, fd, error);
	if (!status)
		status = put_keys(map, key, n, error);
	if (status)
		xdp_end(xdp);
	return status;
}

void xdp_end(struct xdp *xdp)
{
	if (xdp->link >= 0)
		close(xdp->link);
	xdp->link = -1;
}
