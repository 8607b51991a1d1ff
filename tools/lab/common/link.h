/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A non-blocking socket that may speak TLS. Reading and writing return bytes, 0 at the end of
 * the stream, or -errno: -EAGAIN means wait, -EPROTO a TLS error. The handshake happens inside
 * the first calls. struct link is owned by its user; link_close() ends it.
 */
#ifndef LAB_LINK_H
#define LAB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ssl_st;
struct ssl_ctx_st;

struct link {
	int fd;
	bool wants_room;    /* -EAGAIN: wait for room to send, not for something to read */
	struct ssl_st *ssl; /* NULL = no TLS */
};

/* alpn: the one protocol to speak. NULL on error. The client resumes its last session. */
struct ssl_ctx_st *tls_client(const char *alpn);
struct ssl_ctx_st *tls_server(const char *alpn, const char *cert, const char *key);

/* Puts TLS on an open socket: as client of the server called sni, as server if that is NULL. */
int link_secure(struct link *l, struct ssl_ctx_st *ctx, const char *sni);

/* Goes on with the handshake; 0 = done. */
int link_handshake(struct link *l);

/* What ALPN chose: true if it is alpn, or if there is no TLS. */
bool link_speaks(const struct link *l, const char *alpn);

ssize_t link_recv(struct link *l, void *buf, size_t cap);
ssize_t link_send(struct link *l, const void *data, size_t len, bool more);
void link_notify(struct link *l); /* close_notify, as polite programs send it before FIN */
void link_close(struct link *l);

#endif
