// Instructions of the CPU, and the implementations that run with them.

#include <string.h>

#include "tools/ctl/doctor/checks.h"
#include "tools/ctl/doctor/machine.h"

// An implementation by its name in the configuration, and the words of /proc/cpuinfo that it needs.
struct implementation {
	const char *name;
	const char *words[4];
};

// Best first, as crypto/sha256.c and crypto/aead.c have them.
static const struct implementation sha256[] = {
	{"avx512", {"avx512f", "avx512bw"}},
	{"shani", {"sha_ni", "ssse3", "sse4_1"}},
	{"avx2", {"avx2"}},
	{"armv8", {"sha2"}},
	{0},
};
static const struct implementation aead[] = {
	{"vaes512", {"avx512f", "avx512bw", "vaes", "vpclmulqdq"}},
	{"vaes", {"avx2", "vaes", "vpclmulqdq"}},
	{"aesni", {"sse4_1", "aes", "pclmulqdq"}},
	{"armv8", {"aes", "pmull"}},
	{0},
};

static const char *best(const struct implementation *all, const char *flags, const char *otherwise)
{
	for (const struct implementation *i = all; i->name; i++) {
		bool has = true;

		for (unsigned w = 0; w < 4 && i->words[w]; w++)
			has &= machine_word(flags, i->words[w]) != NULL;
		if (has)
			return i->name;
	}
	return otherwise;
}

void doctor_features(struct doctor *d)
{
	char flags[MACHINE_LINE_MAX];
	const char *sha, *aes;

	if (!machine_value(d, "/proc/cpuinfo", "flags", flags) &&
	    !machine_value(d, "/proc/cpuinfo", "Features", flags)) {
		doctor_say(d, DOCTOR_WARN, "CPU features", NULL, "/proc/cpuinfo tells none");
		return;
	}
	sha = best(sha256, flags, "scalar");
	aes = best(aead, flags, "openssl");
	if (strcmp(sha, "scalar") && strcmp(aes, "openssl"))
		doctor_say(d, DOCTOR_OK, "CPU features", NULL,
			   "AVX-512 %s, SHA-NI %s, VAES %s: SHA-256 runs as %s, AES-GCM as %s",
			   machine_word(flags, "avx512f") ? "yes" : "no",
			   machine_word(flags, "sha_ni") ? "yes" : "no",
			   machine_word(flags, "vaes") ? "yes" : "no", sha, aes);
	else
		doctor_say(d, DOCTOR_WARN, "CPU features",
			   "qemu-system-x86_64 -cpu host …  # or the like, in a virtual machine",
			   "SHA-256 runs as %s, AES-GCM as %s: without instructions of the CPU's",
			   sha, aes);
}
