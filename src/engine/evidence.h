/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of evidence share: sentences in the making. evidence.c has their order. */
#ifndef ENGINE_EVIDENCE_H
#define ENGINE_EVIDENCE_H

#include "engine/words.h"

struct writer {
	struct finding *f;
	const struct sentence_input *in;
};

/* One more sentence, if there is room. */
void say(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct span_text {
	char s[24];
};

static inline struct span_text err_name(int err)
{
	struct span_text t;

	text_errno(t.s, sizeof(t.s), (unsigned)err);
	return t;
}

static inline struct span_text dur(uint64_t from_ns, uint64_t to_ns)
{
	struct span_text t;

	text_duration(t.s, sizeof(t.s), to_ns > from_ns ? to_ns - from_ns : 0);
	return t;
}

static inline const char *frame_name(uint8_t h2_end)
{
	return h2_end == W5_H2_RST_IN || h2_end == W5_H2_RST_OUT ? "RST_STREAM" : "GOAWAY";
}

/* ---- evidence_attempt.c: the attempt that decided, and the others ---- */
void say_attempt(struct writer *w, const struct facts *x);

/* ---- evidence_around.c: what is known beside the exchange and its attempts ---- */
void say_log(struct writer *w);
void say_around(struct writer *w);
void say_host(struct writer *w); /* the host's limits */

#endif
