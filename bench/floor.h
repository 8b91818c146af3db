#pragma once
// Floors: the instructions that a job cannot do without, on registers chosen so that none waits for
// another. Nothing but their number and the CPU's width counts, so a floor is a lower bound for
// every implementation of the same algorithm with the same instructions, and moves with the clock
// as the kernels do. What floors compute means nothing.
//
// Counted is arithmetic, as few as we know how, and whole-register loads and stores. Not counted:
// addresses, loops, wiping, lanes that are gathered from places apart. An object for each
// instruction set that has one, in lists, best first; any thread.

#include <stdbool.h>

// ---- SHA-256
//
// For each compression, of a constant schedule (same) or of one whose second half all share (half):
//
// AVX-512, 16 states in a register each: a round is 6 rotations, 4 functions of three words and 6
// additions, of which one takes W + K from memory; a schedule of its own adds K in each round, and
// makes 48 words of two sigmas (2 rotations, a shift, a function) and 3 additions. What follows
// from the shared half alone is made once for all: 8 sums with K, 10 sigmas, 9 additions. The state
// is added: 8.
//
// SHA-NI, one state: sixteen times a load of W + K, two sha256rnds2, a pshufd; two additions to the
// state. Its own schedule: 14 additions of K, two loads, and twelve times sha256msg2, palignr with
// its copy, an addition, and sha256msg1 but for one.
//
// A turn brings a state from words in a row into the form that the rounds want, or back: 8 loads or
// stores and 24 shuffles for 16 states (AVX-512), 2 loads or stores, 4 shuffles and a copy
// (SHA-NI).

struct sha256_work {
	unsigned turns, same, half; // of one message
};

struct sha256_floor {
	const char *name; // of the kernel with the same instructions
	bool (*usable)(void);
	void (*run)(const struct sha256_work *work, unsigned n); // n messages
};

// NULL-terminated; empty where there are none.
extern const struct sha256_floor *const sha256_floors[];
const struct sha256_floor *sha256_floor_best(void); // or NULL; asks the CPU each time

// ---- AES-128-GCM, a key for each message, sealing or opening; AEAD_AAD octets of associated data
//
// For a register of messages with b blocks of text, which are b + 3 for GHASH:
//
// - keys: 10 times SubWord (pshufb, aesenclast), two shifts, a xor, a xor of three;
// - H and the tag's mask: 10 rounds each; nonces and the first key are joined, a counter is xored;
// - text: for each block a xor with its counter, 10 rounds, a xor with the text;
// - H * x: pshufb, 6 instructions to double, a reduction;
// - products: for each block 4 pclmulqdq, two xors of three;
// - reductions: pclmulqdq, a shuffle, a xor, as few as pays. One for k blocks takes k - 1 powers of
//   H, and a power costs as much as four reductions;
// - order: octets are reversed by a pshufb for each block of data and text, or, with four messages
//   in a register, by two shuffles that turn four rows of four blocks as well;
// - tag: pshufb, xor.
//
// Without AVX-512 a xor of three is two, which makes doubling 8 instructions.

struct aead_floor {
	const char *name; // of the implementation with the same instructions
	bool (*usable)(void);
	void (*run)(unsigned len, unsigned n); // n messages of len octets
};

extern const struct aead_floor *const aead_floors[];
const struct aead_floor *aead_floor_best(void); // as sha256_floor_best
