#ifndef AKMAPUSH_UE_H
#define AKMAPUSH_UE_H
// libakmapush-ue: the device side of AKMA push, protocol 1.
//
// A push is one UDP datagram, or up to 16, sealed for this device under a key that the device and
// its operator derive from the last primary authentication. The library finds the key, opens,
// reassembles, refuses replays, and writes the acknowledgement. It does no input or output and
// allocates nothing: datagrams, memory, clock and storage are the caller's.
//
//   static struct akmapush_ue *ue; // from akmapush_ue_init, then akmapush_ue_load or _set_kausf
//
//   void on_datagram(const void *datagram, size_t len, const struct akmapush_ue_address *source)
//   {
//       static uint8_t scratch[AKMAPUSH_UE_SEGMENT_MAX], ack[AKMAPUSH_UE_DATAGRAM_MAX];
//       struct akmapush_ue_now now = {uptime_ms(), rtc_s(), rtc_is_trusted()};
//       struct akmapush_ue_address to;
//       struct akmapush_ue_push push;
//       enum akmapush_ue_outcome outcome;
//       int32_t n;
//
//       outcome = akmapush_ue_input(ue, datagram, len, source, &now, scratch, &push);
//       if (push.persist && !save_to_flash(ue)) { // 1. what akmapush_ue_save writes
//           if (outcome == AKMAPUSH_UE_DELIVERED)
//               akmapush_ue_withdraw(ue, &push.id); // not stored, so not delivered
//           return;
//       }
//       if (outcome == AKMAPUSH_UE_DELIVERED) { // 2. the application
//           akmapush_ue_answer(ue, &push.id, valve(&push) ? 1 : 2, NULL, 0, &now);
//           if (!save_to_flash(ue))
//               return; // the next copy is acknowledged
//       }
//       n = akmapush_ue_ack(ue, &push.id, &now, ack, sizeof(ack), &to);
//       if (n > 0) // 3. the ACK
//           udp_send(ack, n, &to);
//   }
//
// ue/example.c is a whole device, on a UDP socket with its state in a file.
//
// Each push is delivered at most once, whatever is lost, repeated, reordered or restarted, as long
// as step 1 comes before steps 2 and 3.
//
// Memory: akmapush_ue_size() octets for one UE, 3,504 with one AF. It holds keys, and is never
// moved or copied. The configuration is shared by any number of UEs and outlives them, as does the
// pool of reassembly buffers.
//
// Threads: none of its own, no locks, no globals. A UE, and all UEs that share a pool, belong to
// one thread at a time.
//
// "Rule n" is that of "UE rules" in docs/specification.md.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	AKMAPUSH_UE_PUSH_ID = 16,       // octets
	AKMAPUSH_UE_UA_STAR_ID = 5,     // octets
	AKMAPUSH_UE_SEGMENT_MAX = 1184, // octets of payload in one datagram, and of a reply
	AKMAPUSH_UE_DATAGRAM_MAX = 1232,
	AKMAPUSH_UE_ACK_MIN = 48, // an ACK without a reply
	AKMAPUSH_UE_PAYLOAD_MAX = 16 * AKMAPUSH_UE_SEGMENT_MAX,
	AKMAPUSH_UE_AFS_MAX = 32,
	AKMAPUSH_UE_PUSH_FUNCTIONS_MAX = 16, // addresses of one AF
	AKMAPUSH_UE_LIST_MAX = 64,           // pushes remembered per AF and key generation
	AKMAPUSH_UE_PORT = 48470,            // UDP port of a UE unless registered otherwise
};

// Errors, negative. Unless a function says otherwise nothing has changed when one is returned.
enum akmapush_ue_error {
	AKMAPUSH_UE_EINVAL = -1,   // argument or configuration outside its range
	AKMAPUSH_UE_EDAMAGED = -2, // the stored state cannot be used: rule 7 applies
	AKMAPUSH_UE_EREFUSED = -3, // rule 7: these keys cannot be used without a trusted clock
	AKMAPUSH_UE_EUNKNOWN = -4, // the push is not, or no longer, on the list
	AKMAPUSH_UE_EFINAL = -5,   // the push was answered before; the first answer stands
	AKMAPUSH_UE_ENOROOM = -6,  // no room for the state or the reply
	AKMAPUSH_UE_ECRYPTO = -7,  // the crypto implementation failed
};

// What became of one datagram. Counters and logs take the text from akmapush_ue_outcome_text().
#define AKMAPUSH_UE_OUTCOMES(X)                                                                    \
	X(DELIVERED, "delivered")             /* give it to the application, then ACK */           \
	X(DUPLICATE, "duplicate")             /* accepted before: ACK again */                     \
	X(TOO_OLD, "below the floor")         /* ACK with status 3 */                              \
	X(OUT_OF_ORDER, "ordered, came late") /* ACK with status 3 */                              \
	X(SEGMENT, "segment kept")            /* more are missing: no ACK yet */                   \
	X(BAD_LENGTH, "length")               /* dropped, as all below */                          \
	X(BAD_VERSION, "version")                                                                  \
	X(BAD_TYPE, "type")                                                                        \
	X(BAD_SUITE, "suite")                                                                      \
	X(BAD_FLAGS, "flags")                                                                      \
	X(BAD_SEGMENT, "segment numbers")                                                          \
	X(BAD_PUSH_ID, "push_id is no UUIDv7")                                                     \
	X(EXPIRED, "expired")                                                                      \
	X(AHEAD, "dated more than 24 h ahead")                                                     \
	X(NO_KEY, "no key opens it")                                                               \
	X(NO_BUFFER, "no reassembly buffer")      /* none free, or the push does not fit */        \
	X(SUPERSEDED, "segment of an older push") /* or under an older key */                      \
	X(INCONSISTENT, "segments disagree")

enum akmapush_ue_outcome {
#define AKMAPUSH_UE_OUTCOME_ENUM(name, text) AKMAPUSH_UE_##name,
	AKMAPUSH_UE_OUTCOMES(AKMAPUSH_UE_OUTCOME_ENUM)
#undef AKMAPUSH_UE_OUTCOME_ENUM
		AKMAPUSH_UE_OUTCOME_CNT,
	AKMAPUSH_UE_ANSWERED_LAST = AKMAPUSH_UE_OUT_OF_ORDER, // what follows is never answered
};

const char *akmapush_ue_outcome_text(enum akmapush_ue_outcome outcome);

struct akmapush_ue_octets {
	const void *octets;
	size_t len;
};

// The cryptography that the library needs: HMAC-SHA-256 and AES-GCM with a 12-octet nonce and a
// 16-octet tag. `arg` is handed through, for an implementation that has a context (a secure
// element, a hardware engine). Functions return false if the implementation fails.
struct akmapush_ue_crypto {
	const char *name;
	void *arg;
	// mac = HMAC-SHA-256(key, parts[0] || parts[1] || ...); the key has 32 octets.
	bool (*hmac_sha256)(void *arg, const uint8_t key[32],
			    const struct akmapush_ue_octets *parts, size_t n_parts,
			    uint8_t mac[32]);
	// key_len 16 or 32; out takes n octets and is in or apart from it.
	bool (*aead_seal)(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
			  const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n,
			  uint8_t *out, uint8_t tag[16]);
	// False also if the tag is wrong; out holds nothing of the text then.
	bool (*aead_open)(void *arg, const uint8_t *key, size_t key_len, const uint8_t nonce[12],
			  const uint8_t *aad, size_t aad_len, const uint8_t *in, size_t n,
			  const uint8_t tag[16], uint8_t *out);
};

// Portable C99 without secret-dependent branch, index or multiplication; small rather than fast.
extern const struct akmapush_ue_crypto akmapush_ue_crypto_builtin;
// OpenSSL 3; in a library of its own, libakmapush-ue-openssl. Any thread.
extern const struct akmapush_ue_crypto akmapush_ue_crypto_openssl;

// An IPv6 address, or an IPv4 address in its mapped form ::ffff:a.b.c.d; port in host order.
struct akmapush_ue_address {
	uint8_t octets[16];
	uint16_t port;
};

// One AF from which pushes are accepted, as provisioned.
struct akmapush_ue_af {
	const char *fqdn; // lower case, no trailing dot, 4 to 253 octets
	uint8_t ua_star_id[AKMAPUSH_UE_UA_STAR_ID];
	// Where ACKs may go (rule 6). An ACK goes to the source of the PUSH if that is one of these
	// (a provisioned port 0 stands for every port), else to the first of these that has a port.
	const struct akmapush_ue_address *push_functions;
	uint8_t n_push_functions;
};

struct akmapush_ue_config {
	const struct akmapush_ue_crypto *crypto;
	const struct akmapush_ue_af *afs;
	uint16_t n_afs;
	// Reply store of one UE, for all its AFs; 0 slots: the UE sends no replies. A slot is
	// needed from an answer with a reply until the push has expired or left the list.
	uint16_t n_replies;
	uint16_t reply_max; // octets of one reply, up to 1184
	// Pushes remembered per AF and key generation, 1 to 64; 0 stands for 64, which protocol 1
	// asks for. With fewer a UE refuses more late pushes, and still delivers none twice (fleets
	// of simulated UEs use that).
	uint8_t list_max;
	struct akmapush_ue_pool *pool; // reassembly buffers; NULL: segmented pushes are dropped
};

// Two clocks of the caller. `ms` counts elapsed time: it never goes back while the object lives,
// but may start anywhere after a restart. `unix_s` counts if `trusted`, which is: set from a source
// that an attacker cannot move.
struct akmapush_ue_now {
	uint64_t ms;
	uint32_t unix_s;
	bool trusted;
};

// Makes a pool of n buffers in `memory`, each for pushes of up to `capacity` octets (of several
// segments; a push in one datagram needs none). One per AF is what rule 4 asks for; a pool may
// serve many UEs, who then drop segments (NO_BUFFER) when all are taken by pushes that have not
// expired. `memory` is aligned for uint64_t. NULL if it is too small, n is 0 or above 65,534, or
// capacity is 0 or above 18,944.
size_t akmapush_ue_pool_size(unsigned n, size_t capacity);
struct akmapush_ue_pool *akmapush_ue_pool_init(void *memory, size_t size, unsigned n,
					       size_t capacity);

struct akmapush_ue;

// Octets that one UE takes; 0 if the configuration is not usable (see akmapush_ue_init).
size_t akmapush_ue_size(const struct akmapush_ue_config *config);
// The same as a constant expression, for static memory.
#define AKMAPUSH_UE_SIZE(n_afs, list_max, n_replies, reply_max)                                    \
	(AKMAPUSH_UE_SIZE_FIXED + (n_afs) * (AKMAPUSH_UE_SIZE_AF + 2 * 24 * (list_max)) +          \
	 (n_replies)*AKMAPUSH_UE_SIZE_REPLY(reply_max))
#define AKMAPUSH_UE_SIZE_FIXED            ((size_t)104)
#define AKMAPUSH_UE_SIZE_AF               ((size_t)328)
#define AKMAPUSH_UE_SIZE_REPLY(reply_max) ((24 + (size_t)(reply_max) + 7) / 8 * 8)

// Makes a UE without keys in `memory` (aligned for uint64_t). NULL if the memory is too small or
// the configuration wrong: no crypto, n_afs not 1 to 32, an invalid FQDN or one AF_ID twice, more
// than 16 push functions, list_max above 64, reply_max above 1184 or 0 with n_replies.
struct akmapush_ue *akmapush_ue_init(void *memory, size_t size,
				     const struct akmapush_ue_config *config);

// Gives back the UE's reassembly buffers, wiped, and wipes all keys and replies.
void akmapush_ue_fini(struct akmapush_ue *ue);

// A new primary authentication has taken place: derives K_AKMA (TS 33.535 A.2) from K_AUSF and the
// SUPI ("imsi-..." or "nai-..."), or takes K_AKMA itself. The current key becomes the previous one,
// which is erased 300 s after the first valid push under the new key, at most 24 h from now. A key
// that is already current changes nothing. To be called at once, not at the first push, and only
// for a new authentication: see akmapush_ue_recover. Save the state afterwards.
// 0, EINVAL (SUPI), ECRYPTO (the current key stays, the previous one is erased).
int akmapush_ue_set_kausf(struct akmapush_ue *ue, const uint8_t kausf[32], const char *supi,
			  const struct akmapush_ue_now *now);
int akmapush_ue_set_kakma(struct akmapush_ue *ue, const uint8_t kakma[32],
			  const struct akmapush_ue_now *now);

// Rule 7, for a UE without keys whose stored state was lost or damaged, while its keys were kept
// elsewhere: takes the keys (previous may be NULL) and refuses what is dated up to 120 s from
// now. What was dated later, or comes once more under the next key, cannot be told from what is
// new. 0, EINVAL (the UE has keys), ECRYPTO; EREFUSED without a trusted clock: wait for one, or for
// the next primary authentication.
int akmapush_ue_recover(struct akmapush_ue *ue, const uint8_t current[32],
			const uint8_t previous[32], const struct akmapush_ue_now *now);

// Erases what has come of age: the previous key, incomplete pushes. akmapush_ue_input does it too;
// a UE that may hear nothing for hours calls this about once a minute. True: save the state.
bool akmapush_ue_poll(struct akmapush_ue *ue, const struct akmapush_ue_now *now);

// Names one push of one AF. An application that answers later keeps it.
struct akmapush_ue_push_id {
	uint8_t octets[AKMAPUSH_UE_PUSH_ID];
	uint32_t expiry; // Unix seconds
	uint16_t af;     // index into config->afs
};

struct akmapush_ue_push {
	bool persist; // whatever the outcome: save the state now, before anything else
	// For outcomes up to AKMAPUSH_UE_ANSWERED_LAST, else zero.
	bool ordered;
	bool ack_wanted;
	struct akmapush_ue_push_id id;
	// For AKMAPUSH_UE_DELIVERED. The payload lies in `scratch` or in a reassembly buffer and
	// stays until the next datagram is put into this UE or one that shares the pool; the buffer
	// is wiped then, `scratch` is the caller's to wipe.
	const uint8_t *payload;
	size_t payload_len;
};

// Takes one datagram as it came (rules 1 to 5). Never fails on what is in it: the outcome says what
// became of it. `source` may be NULL where it is not known. `scratch` does not overlap the
// datagram.
enum akmapush_ue_outcome akmapush_ue_input(struct akmapush_ue *ue, const void *datagram, size_t len,
					   const struct akmapush_ue_address *source,
					   const struct akmapush_ue_now *now,
					   uint8_t scratch[AKMAPUSH_UE_SEGMENT_MAX],
					   struct akmapush_ue_push *push);

// Takes back the acceptance of a push that akmapush_ue_input has just delivered, because the state
// could not be saved: the next copy is delivered instead. Not after the application had it.
void akmapush_ue_withdraw(struct akmapush_ue *ue, const struct akmapush_ue_push_id *id);

// The application's answer to a delivered push: status 1 (acted upon) or 2 (refused), and a reply
// if there is a reply store. At once or any time later; it is final. Then save the state, and send
// what akmapush_ue_ack gives. 0, EINVAL (status), EUNKNOWN, EFINAL, ENOROOM (reply_max is smaller
// or no slot is free: answer without the reply, or later).
int akmapush_ue_answer(struct akmapush_ue *ue, const struct akmapush_ue_push_id *id, uint8_t status,
		       const void *reply, size_t reply_len, const struct akmapush_ue_now *now);

// Writes the ACK for the last copy of a push, with the answer as it stands (status 0 without one).
// `size` is at least 48 + the longest reply; `to` is where to send it.
// Returns octets; 0 if there is nothing to send: none wanted, push unknown, no address provisioned,
// or the crypto failed; or, negative, the milliseconds until the next ACK for this push may leave
// (rule 6: four at least 2 s apart, then 60 s). After akmapush_ue_input let that one go, since the
// push function repeats itself; after a late akmapush_ue_answer call again in time.
int32_t akmapush_ue_ack(struct akmapush_ue *ue, const struct akmapush_ue_push_id *id,
			const struct akmapush_ue_now *now, uint8_t *out, size_t size,
			struct akmapush_ue_address *to);

// Largest blob that akmapush_ue_save writes for this configuration; most are a few hundred octets.
size_t akmapush_ue_state_max(const struct akmapush_ue_config *config);

// Writes keys, lists, answers and clocks as a versioned blob. It holds keys: store it like keys. It
// is to be replaced as a whole, so that a power cut leaves the old or the new one.
// While there is a previous key, saving about once an hour keeps a restart from giving it more time
// where the clock is not trusted. Octets written, ENOROOM, or ECRYPTO.
int32_t akmapush_ue_save(const struct akmapush_ue *ue, const struct akmapush_ue_now *now,
			 uint8_t *out, size_t size);

// Takes the newest saved blob into a UE that akmapush_ue_init has just made. AFs are found by FQDN
// and Ua* id; one that is not in the blob has lost its list (rule 7). No
// ACK for a push on a list leaves within 2 s, as one may have left just before. 0; EDAMAGED for
// anything that akmapush_ue_save did not write, ENOROOM if list_max or the reply store has become
// too small for it, ECRYPTO: the UE has no keys then, and goes on with akmapush_ue_recover or with
// the next primary authentication.
int akmapush_ue_load(struct akmapush_ue *ue, const struct akmapush_ue_now *now, const uint8_t *blob,
		     size_t len);

#ifdef __cplusplus
}
#endif

#endif
