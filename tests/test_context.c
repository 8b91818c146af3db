// A context read while it is written: what the control thread sees is one state or another, never
// half of each. (threads_dataplane.c has ThreadSanitizer look at the same.)

#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "dataplane/context.h"
#include "dataplane/dp.h"

enum { SNAPSHOTS = 300000 };

static struct context context;
static atomic_bool stop;

// Every octet of the key, the address and the expiry is the same.
static void *write_states(void *arg)
{
	(void)arg;
	for (uint8_t i = 1; !atomic_load(&stop); i++) {
		struct hmac_key key;

		memset(&key, i, sizeof(key));
		context_put_key(&context, &key, i * 0x01010101u);
		if (i % 16 == 0)
			context_del_key(&context);
	}
	return NULL;
}

static bool is_whole(const struct context *copy)
{
	const uint8_t *key = (const uint8_t *)&copy->kakma;
	uint8_t value = copy->has & CONTEXT_HAS_KEY ? key[0] : 0;

	if (copy->expiry != value * 0x01010101u)
		return false;
	for (unsigned i = 0; i < sizeof(copy->kakma); i++) {
		if (key[i] != value)
			return false;
	}
	return true;
}

Test(context, a_snapshot_is_whole)
{
	struct context copy;
	pthread_t writer;

	cr_assert_eq(pthread_create(&writer, NULL, write_states, NULL), 0);
	for (unsigned i = 0; i < SNAPSHOTS; i++) {
		context_snapshot(&context, &copy);
		cr_assert(is_whole(&copy), "snapshot %u", i);
	}
	atomic_store(&stop, true);
	pthread_join(writer, NULL);
}

Test(context, key_and_address_do_not_touch_each_other)
{
	struct dp_address address = {{1, 2, 3}, 4};
	static struct context one;
	struct hmac_key key;
	struct context copy;

	memset(&key, 9, sizeof(key));
	context_put_address(&one, &address);
	context_put_key(&one, &key, 77);
	context_del_key(&one);
	context_snapshot(&one, &copy);
	cr_assert_eq(copy.has, CONTEXT_HAS_ADDRESS);
	cr_assert_arr_eq(copy.ip, address.ip, 16);
	cr_assert_eq(copy.port, 4);
	context_put_key(&one, &key, 77);
	context_del_address(&one);
	context_snapshot(&one, &copy);
	cr_assert_eq(copy.has, CONTEXT_HAS_KEY);
	cr_assert_eq(copy.expiry, 77);
	cr_assert_arr_eq(&copy.kakma, &key, sizeof(key));
}
