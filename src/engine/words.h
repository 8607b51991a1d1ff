/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the sentences are made of. Plain ASCII; bytes from the wire come in escaped only.
 */
#ifndef ENGINE_WORDS_H
#define ENGINE_WORDS_H

#include "base/text.h"
#include "engine/facts.h"

struct words {
	char up[TEXT_ENDPOINT_MAX]; /* upstream */
	char elapsed[16], idle[16], asked[16];
	char err[32];
};

void words_put(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void words_of(struct words *w, const struct sentence_input *in);

typedef void (*say_fn)(char *out, size_t cap, const struct sentence_input *in,
		       const struct words *w);

#define SAY_SHARED(name) \
	void name(char *out, size_t cap, const struct sentence_input *in, const struct words *w)
#define SAY(name) static SAY_SHARED(name)

/* ---- say_tls.c, say_h2.c ---- */
/* "SNI "a.example", TLS 1.2 to 1.3"; "" if no ClientHello was kept. Names are escaped. */
void tls_offer_words(char *out, size_t cap, const struct w5_leg *l);
void tls_alert_words(char *out, size_t cap, uint16_t alert); /* "alert 40 (handshake_failure)" */
SAY_SHARED(why_tls);
SAY_SHARED(why_tls_mismatch);
SAY_SHARED(next_tls);
SAY_SHARED(next_tls_mismatch);
SAY_SHARED(why_h2_reset);
SAY_SHARED(why_h2_refused);
SAY_SHARED(why_h2_goaway);
SAY_SHARED(why_h2_cut);
SAY_SHARED(why_grpc);
SAY_SHARED(next_h2_reset);
SAY_SHARED(next_h2_goaway);

/* ---- say_names.c ---- */
SAY_SHARED(why_dns);
SAY_SHARED(next_dns);
SAY_SHARED(why_wrong_peer);
SAY_SHARED(next_wrong_peer);

/* ---- say_local.c ---- */
SAY_SHARED(why_open);
SAY_SHARED(why_no_route);
SAY_SHARED(why_local_port);
SAY_SHARED(why_fd_limit);
SAY_SHARED(why_killed);
SAY_SHARED(why_unix);
SAY_SHARED(next_route);
SAY_SHARED(next_local_port);
SAY_SHARED(next_fd_limit);
SAY_SHARED(next_open);
SAY_SHARED(next_killed);
SAY_SHARED(next_unix);

/* ---- say_pools.c ---- */
SAY_SHARED(why_pool);
SAY_SHARED(next_pool);

#endif
