/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Secrets in message heads, overwritten in place: credentials and cookies in header
 * fields, tokens in query strings, JWTs anywhere, user and password in a URL. The length
 * stays, so byte counts and sequence numbers go on to hold.
 *
 * A masked value is "*" and then a hex digit per byte, each made of a key and of all bytes
 * before it: equal values read equal, and so do values that were cut at different places,
 * which is what correlation needs of a request target. The key is never written anywhere,
 * so nothing leads back. Bytes are hostile and may be cut anywhere.
 */
#ifndef BASE_MASK_H
#define BASE_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MASK_KEY_BYTES 16

struct mask {
	uint64_t key[2];
	bool off; /* nothing is touched: the bytes have been masked before */
};

void mask_init(struct mask *m, const uint8_t key[MASK_KEY_BYTES]);

/*
 * An HTTP/1 message from its first byte on: request or status line and header fields.
 * Returns the bytes up to and with the empty line, or len if that is not there.
 */
size_t mask_head(const struct mask *m, uint8_t *p, size_t len);
/* A request target alone, in any of its forms (RFC 9112 3.2). */
void mask_target(const struct mask *m, uint8_t *p, size_t len);

/* Would the value of such a query parameter, or header field, be masked? */
bool mask_is_secret_param(const char *name, size_t len);
bool mask_is_secret_field(const char *name, size_t len);

#endif
