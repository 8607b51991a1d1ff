// SPDX-License-Identifier: BSD-2-Clause
/* Sockets with and without TLS, see link.h. */
#include "link.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "h2" -> "\2h2", the form of RFC 7301; returns its length. */
static unsigned wire_alpn(unsigned char *out, size_t cap, const char *alpn)
{
	return (unsigned)snprintf((char *)out, cap, "%c%s", (int)strlen(alpn), alpn);
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);

	SSL_SESSION_free(SSL_CTX_get_app_data(ctx));
	SSL_CTX_set_app_data(ctx, session);
	return 1; /* we keep it */
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		   const unsigned char *in, unsigned in_len, void *arg)
{
	const char *alpn = arg;
	unsigned char want[32];
	unsigned len = wire_alpn(want, sizeof(want), alpn);

	return SSL_select_next_proto((unsigned char **)out, out_len, want, len, in, in_len) ==
			       OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *tls_new(const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new(method);

	if (!ctx)
		return NULL;
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/* A FIN without close_notify is an end like any other: the lab makes both. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	return ctx;
}

SSL_CTX *tls_client(const char *alpn)
{
	SSL_CTX *ctx = tls_new(TLS_client_method());
	unsigned char wire[32];

	if (!ctx)
		return NULL;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_alpn_protos(ctx, wire, wire_alpn(wire, sizeof(wire), alpn));
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	return ctx;
}

SSL_CTX *tls_server(const char *alpn, const char *cert, const char *key)
{
	SSL_CTX *ctx = tls_new(TLS_server_method());

	if (!ctx)
		return NULL;
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
		ERR_print_errors_fp(stderr);
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, (void *)alpn);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"lab", 3);
	return ctx;
}

int link_secure(struct link *l, SSL_CTX *ctx, const char *sni)
{
	SSL_SESSION *last = SSL_CTX_get_app_data(ctx);

	l->ssl = SSL_new(ctx);
	if (!l->ssl || SSL_set_fd(l->ssl, l->fd) != 1)
		return -ENOMEM;
	if (!sni) {
		SSL_set_accept_state(l->ssl);
		return 0;
	}
	SSL_set_connect_state(l->ssl);
	SSL_set_tlsext_host_name(l->ssl, sni);
	if (last)
		SSL_set_session(l->ssl, last);
	return 0;
}

/* Before each call into libssl: what SSL_get_error() looks at must be of this call. */
static void tls_begin(struct link *l)
{
	ERR_clear_error();
	errno = 0;
	l->wants_room = false;
}

static ssize_t tls_result(struct link *l, int n)
{
	int err = errno;

	switch (SSL_get_error(l->ssl, n)) {
	case SSL_ERROR_NONE: return n;
	case SSL_ERROR_WANT_WRITE: l->wants_room = true; return -EAGAIN;
	case SSL_ERROR_WANT_READ: return -EAGAIN;
	case SSL_ERROR_ZERO_RETURN: return 0;
	case SSL_ERROR_SYSCALL: return -err;
	default: return -EPROTO;
	}
}

int link_handshake(struct link *l)
{
	ssize_t n;

	if (!l->ssl || SSL_is_init_finished(l->ssl))
		return 0;
	tls_begin(l);
	n = tls_result(l, SSL_do_handshake(l->ssl));
	return n > 0 ? 0 : n < 0 ? (int)n : -ECONNRESET;
}

bool link_speaks(const struct link *l, const char *alpn)
{
	const unsigned char *got = NULL;
	unsigned len = 0;

	if (!l->ssl)
		return true;
	SSL_get0_alpn_selected(l->ssl, &got, &len);
	return len == strlen(alpn) && !memcmp(got, alpn, len);
}

ssize_t link_recv(struct link *l, void *buf, size_t cap)
{
	ssize_t n;

	if (l->ssl) {
		tls_begin(l);
		return tls_result(l, SSL_read(l->ssl, buf, (int)cap));
	}
	n = recv(l->fd, buf, cap, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

ssize_t link_send(struct link *l, const void *data, size_t len, bool more)
{
	ssize_t n;

	if (l->ssl) {
		tls_begin(l);
		return tls_result(l, SSL_write(l->ssl, data, (int)len));
	}
	n = send(l->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
	l->wants_room = n < 0;
	return n < 0 ? -errno : n;
}

void link_notify(struct link *l)
{
	if (l->ssl && SSL_is_init_finished(l->ssl)) {
		tls_begin(l);
		SSL_shutdown(l->ssl);
	}
}

void link_close(struct link *l)
{
	if (l->ssl) /* libssl forgets the session of a conn that did not end well: it did */
		SSL_set_shutdown(l->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(l->ssl);
	l->ssl = NULL;
	close(l->fd);
}
