// What the back end dpdk refuses before it starts EAL, which starts once in a process.

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "dataplane/io/io.h"
#include "dataplane/io/io_dpdk.h"

static int open_with(const char *argument, const char *device, char error[IO_ERROR_MAX])
{
	const struct io_ops *const ops = io_find("dpdk");
	struct io_dpdk_config dpdk = {
		.arg = {"--no-huge", argument},
		.n_args = 2,
		.port = {{.device = device}},
		.n_ports = 1,
		.n_workers = 1,
	};
	const struct io_config config = {.burst_max = 64, .arg = &dpdk};
	struct io *io;

	cr_assert(ops);
	return ops->open(&io, &config, error);
}

// One that was cut would be another argument.
Test(dpdk_eal, long_arguments_are_refused)
{
	char text[IO_DPDK_ARG_MAX + 2], error[IO_ERROR_MAX] = "";

	memset(text, 'x', sizeof(text));
	text[IO_DPDK_ARG_MAX + 1] = 0;
	cr_expect_eq(open_with(text, "net_null0", error), -EINVAL);
	cr_expect(strstr(error, "longer than 255 characters: xxx"), "%s", error);
	memcpy(text, "net_null0,", 10);
	*error = 0;
	cr_expect_eq(open_with("--no-pci", text, error), -EINVAL);
	cr_expect(strstr(error, "longer than 255 characters: --vdev=net_null0"), "%s", error);
}

Test(dpdk_eal, no_ports_are_refused)
{
	const struct io_config config = {.burst_max = 64};
	char error[IO_ERROR_MAX] = "";
	struct io *io;

	cr_expect_eq(io_find("dpdk")->open(&io, &config, error), -EINVAL);
	cr_expect(strstr(error, "needs a port"), "%s", error);
}
