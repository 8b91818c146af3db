#include "control/http/http_tls.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/log.h"
#include "control/loop.h"

enum { NAMES_MAX = 32 };

struct tls {
	SSL_CTX *ctx;
};

// The library's newest reason, as text; its queue is empty afterwards.
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return text != NULL ? text : "unknown";
}

static int select_h2(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		     const unsigned char *in, unsigned in_len, void *arg)
{
	static const unsigned char h2[] = {2, 'h', '2'};
	unsigned char *selected;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&selected, out_len, h2, sizeof(h2), in, in_len) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = selected;
	return SSL_TLSEXT_ERR_OK;
}

static int load(SSL_CTX *ctx, const struct http_tls_files *files)
{
	if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate) != 1) {
		log_error("tls", "certificate %s: %s", files->certificate, reason());
		return -EINVAL;
	}
	if (SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1) {
		log_error("tls", "key %s: %s", files->key, reason());
		return -EINVAL;
	}
	if (SSL_CTX_load_verify_file(ctx, files->ca) != 1) {
		log_error("tls", "client CA %s: %s", files->ca, reason());
		return -EINVAL;
	}
	SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(files->ca));
	return 0;
}

struct tls *tls_new(const struct http_tls_files *files)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (tls == NULL || ctx == NULL)
		goto err;
	SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 0); // no resumption: a certificate is checked each time
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, select_h2, NULL);
	if (load(ctx, files) < 0)
		goto err;
	tls->ctx = ctx;
	return tls;

err:
	SSL_CTX_free(ctx);
	free(tls);
	return NULL;
}

void tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

// The opaque connection is the library's.
static SSL *ssl_of(struct tls_conn *conn)
{
	return (SSL *)conn;
}

struct tls_conn *tls_accept(struct tls *tls, int fd)
{
	SSL *ssl = SSL_new(tls->ctx);

	if (ssl == NULL)
		return NULL;
	if (SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_accept_state(ssl);
	return (struct tls_conn *)ssl;
}

void tls_close(struct tls_conn *conn)
{
	SSL *ssl = ssl_of(conn);

	if (ssl == NULL)
		return;
	ERR_clear_error();
	if (SSL_is_init_finished(ssl))
		SSL_shutdown(ssl); // one attempt: the alert fits or it does not
	ERR_clear_error();
	SSL_free(ssl);
}

static ssize_t outcome(SSL *ssl, int returned, unsigned *events)
{
	switch (SSL_get_error(ssl, returned)) {
	case SSL_ERROR_WANT_READ:
		*events = LOOP_READ;
		return -EAGAIN;
	case SSL_ERROR_WANT_WRITE:
		*events = LOOP_WRITE;
		return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	default:
		return -EPROTO;
	}
}

ssize_t tls_read(struct tls_conn *conn, void *to, size_t max, unsigned *events)
{
	int n;

	ERR_clear_error();
	n = SSL_read(ssl_of(conn), to, max < INT_MAX ? (int)max : INT_MAX);
	return n > 0 ? n : outcome(ssl_of(conn), n, events);
}

ssize_t tls_write(struct tls_conn *conn, const void *from, size_t n, unsigned *events)
{
	ssize_t written;

	ERR_clear_error();
	written = SSL_write(ssl_of(conn), from, n < INT_MAX ? (int)n : INT_MAX);
	if (written > 0)
		return written;
	written = outcome(ssl_of(conn), (int)written, events);
	return written != 0 ? written : -EPROTO;
}

int tls_handshake(struct tls_conn *conn, unsigned *events)
{
	SSL *ssl = ssl_of(conn);
	const unsigned char *protocol;
	unsigned len;
	int done;

	ERR_clear_error();
	done = SSL_do_handshake(ssl);
	if (done != 1) {
		ssize_t status = outcome(ssl, done, events);

		if (status == -EAGAIN)
			return -EAGAIN;
		log_debug("tls", "handshake: %s", reason());
		return -EPROTO;
	}
	SSL_get0_alpn_selected(ssl, &protocol, &len);
	return len == 2 && memcmp(protocol, "h2", 2) == 0 ? 0 : -EPROTO; // or none was offered
}

// A name with a zero inside is not what it looks like: left out.
static char *name_of(const ASN1_STRING *string)
{
	unsigned char *utf8 = NULL;
	int len = ASN1_STRING_to_UTF8(&utf8, string);
	char *name = NULL;

	if (len > 0 && memchr(utf8, 0, (size_t)len) == NULL)
		name = strndup((char *)utf8, (size_t)len);
	OPENSSL_free(utf8);
	return name;
}

static unsigned add_name(char **names, unsigned n, const ASN1_STRING *string)
{
	char *name = n < NAMES_MAX ? name_of(string) : NULL;

	if (name != NULL)
		names[n++] = name;
	return n;
}

static unsigned names_of(X509 *certificate, char **names)
{
	GENERAL_NAMES *alternatives =
		X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	const X509_NAME *subject = X509_get_subject_name(certificate);
	unsigned n = 0;
	int at = -1;

	for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(alternatives, i);

		if (name->type == GEN_DNS)
			n = add_name(names, n, name->d.dNSName);
	}
	GENERAL_NAMES_free(alternatives);
	while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
		n = add_name(names, n, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	return n;
}

void tls_authorize(struct tls_conn *conn, http_authorize *authorize, void *ctx,
		   struct http_peer *peer)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl_of(conn));
	char *names[NAMES_MAX];
	unsigned n;

	memset(peer, 0, sizeof(*peer));
	if (certificate == NULL)
		return;
	n = names_of(certificate, names);
	authorize(ctx, (const char *const *)names, n, peer);
	while (n > 0)
		free(names[--n]);
}
