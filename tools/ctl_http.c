#include "tools/ctl_http.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <curl/curl.h>

#include "base/bytes.h"
#include "tools/ctl.h"

enum {
	CONNECT_TIMEOUT_S = 5,
	STALL_TIMEOUT_S = 120, // without an octet in either direction
	LINE_MAX_OCTETS = 1 << 20,
};

struct ctl_http {
	CURL *curl;
	char *socket;
};

// One request under way. In line mode `body` holds the line that is not whole yet.
struct exchange {
	CURL *curl;
	const struct ctl_request *request;
	struct ctl_response *response;
	size_t room;
	bool is_broken_off, is_too_long;
};

struct ctl_http *ctl_http_open(const char *socket)
{
	struct ctl_http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->curl = curl_easy_init();
	http->socket = strdup(socket);
	if (http->curl && http->socket)
		return http;
	ctl_http_close(http);
	return NULL;
}

void ctl_http_close(struct ctl_http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	free(http->socket);
	free(http);
}

const char *ctl_http_socket(const struct ctl_http *http)
{
	return http->socket;
}

void ctl_response_free(struct ctl_response *response)
{
	if (response->body)
		mem_wipe(response->body, response->body_len);
	free(response->body);
	response->body = NULL;
}

// ---- In and out

static bool grow(struct exchange *x, size_t more)
{
	size_t need = x->response->body_len + more + 1;
	char *grown;

	if (need <= x->room)
		return true;
	if (need > CTL_BODY_MAX) {
		x->is_too_long = true;
		return false;
	}
	need = need < 4096 ? 4096 : 2 * need;
	grown = realloc(x->response->body, need);
	if (!grown)
		return false;
	x->response->body = grown;
	x->room = need;
	return true;
}

static bool collect(struct exchange *x, const char *octets, size_t n)
{
	if (!grow(x, n))
		return false;
	memcpy(x->response->body + x->response->body_len, octets, n);
	x->response->body_len += n;
	x->response->body[x->response->body_len] = '\0';
	return true;
}

// Hands on what makes a whole line and keeps the rest.
static bool lines(struct exchange *x, const char *octets, size_t n)
{
	const char *end;

	while ((end = memchr(octets, '\n', n))) {
		size_t len = (size_t)(end - octets);

		if (!collect(x, octets, len))
			return false;
		if (!x->request->line(x->request->arg, x->response->body, x->response->body_len)) {
			x->is_broken_off = true;
			return false;
		}
		x->response->body_len = 0;
		octets += len + 1;
		n -= len + 1;
	}
	if (x->response->body_len + n > LINE_MAX_OCTETS) {
		x->is_too_long = true;
		return false;
	}
	return collect(x, octets, n);
}

static size_t on_body(char *octets, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	long status = 0;
	bool is_good;

	n *= size;
	curl_easy_getinfo(x->curl, CURLINFO_RESPONSE_CODE, &status);
	if (x->request->line && status == 200)
		is_good = lines(x, octets, n);
	else
		is_good = collect(x, octets, n);
	return is_good ? n : 0;
}

static size_t on_read(char *octets, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	ssize_t got = x->request->read(x->request->arg, octets, size * n);

	if (got >= 0)
		return (size_t)got;
	x->is_broken_off = true;
	return CURL_READFUNC_ABORT;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)arg, (void)a, (void)b, (void)c, (void)d;
	return ctl_interrupted;
}

static size_t on_header(char *octets, size_t size, size_t n, void *arg)
{
	static const char name[] = "retry-after:";
	struct exchange *x = arg;

	n *= size;
	if (n > sizeof(name) && strncasecmp(octets, name, sizeof(name) - 1) == 0) {
		char text[16] = "";
		size_t len = n - (sizeof(name) - 1);

		memcpy(text, octets + sizeof(name) - 1, len < 15 ? len : 15);
		x->response->retry_after_s = (unsigned)strtoul(text, NULL, 10);
	}
	return n;
}

// ---- A request

static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
	char text[400];
	struct curl_slist *grown;

	if (!value)
		return true;
	snprintf(text, sizeof(text), "%s: %s", name, value);
	grown = curl_slist_append(*list, text);
	if (grown)
		*list = grown;
	return grown != NULL;
}

static void set_up(struct ctl_http *http, struct exchange *x, struct curl_slist *headers)
{
	const struct ctl_request *request = x->request;
	CURL *curl = http->curl;
	char url[CTL_PATH_MAX + 32];

	snprintf(url, sizeof(url), "http://localhost%s", request->path);
	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, http->socket);
	curl_easy_setopt(curl, CURLOPT_PROXY, ""); // whatever the environment says
	curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	// libcurl 7.88 fails the second request of a connection that began with HTTP/2 at once.
	curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, x->response->error);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, x);
	if (request->read) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(curl, CURLOPT_READDATA, x);
		curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
	} else if (request->type) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
	}
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
}

static int outcome(struct ctl_http *http, struct exchange *x, CURLcode code)
{
	struct ctl_response *response = x->response;
	long status = 0, error = 0;

	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &error);
	response->status = (int)status;
	if (code == CURLE_OK)
		return 0;
	// An early refusal ends an upload: what the daemon said counts, not that it read no
	// further.
	if (status >= 400 && response->body_len && !x->is_too_long && !x->is_broken_off)
		return 0;
	if (ctl_interrupted || x->is_broken_off)
		return -ECANCELED;
	if (x->is_too_long)
		snprintf(response->error, sizeof(response->error), "the answer is too long");
	else if (code == CURLE_COULDNT_CONNECT && error)
		snprintf(response->error, sizeof(response->error), "%s", strerror((int)error));
	else if (!*response->error)
		snprintf(response->error, sizeof(response->error), "%s", curl_easy_strerror(code));
	return code == CURLE_COULDNT_CONNECT ? -ENOTCONN : -EPROTO;
}

int ctl_http(struct ctl_http *http, const struct ctl_request *request,
	     struct ctl_response *response)
{
	struct exchange x = {.curl = http->curl, .request = request, .response = response};
	struct curl_slist *headers = NULL;
	int error = -ENOTCONN;

	*response = (struct ctl_response){0};
	if (strlen(http->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
		snprintf(response->error, sizeof(response->error),
			 "the path is too long for a socket");
		return -ENOTCONN;
	}
	if (!add_header(&headers, "content-type", request->type) ||
	    !add_header(&headers, "idempotency-key", request->idempotency_key) ||
	    !collect(&x, "", 0)) {
		snprintf(response->error, sizeof(response->error), "out of memory");
		goto end;
	}
	set_up(http, &x, headers);
	error = outcome(http, &x, curl_easy_perform(http->curl));
	// A last line without an end.
	if (!error && request->line && response->status == 200 && response->body_len &&
	    !request->line(request->arg, response->body, response->body_len))
		error = -ECANCELED;
end:
	curl_slist_free_all(headers);
	return error;
}

bool ctl_path_add(char path[CTL_PATH_MAX], const char *text)
{
	size_t n = strlen(path);

	for (; *text; text++) {
		bool is_plain = isalnum((unsigned char)*text) || strchr("-._~@", *text);

		if (n + 4 > CTL_PATH_MAX)
			return false;
		if (is_plain)
			path[n++] = *text;
		else
			n += (size_t)sprintf(path + n, "%%%02X", (unsigned char)*text);
	}
	path[n] = '\0';
	return true;
}
