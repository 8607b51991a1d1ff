/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the TLS libraries of gateway processes and keeps them probed: one set of probes per
 * file, whoever maps it, from the first gateway process that does to the last. A probe costs
 * nothing while its function is not called, so a library that is mapped is probed at once:
 * the first request is read, too.
 *
 * In: gateway processes as they come and go. Out: probes; a report per process for `why502 doctor`.
 * Failures are kept for the report and logged, one line per file; none ends the program.
 */
#ifndef KERNEL_TLS_H
#define KERNEL_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls;
struct bpf_object;

/* obj: loaded, borrowed. */
int tls_new(struct tls **out, const struct bpf_object *obj);
/* Detaches everything. NULL is fine. */
void tls_free(struct tls *t);

/* A gateway process is there: looks at it at once. */
void tls_watch(struct tls *t, uint32_t tgid);
/* It may run another program now: looks again at the next tls_poll(). */
void tls_changed(struct tls *t, uint32_t tgid);
/* It has ended. */
void tls_forget(struct tls *t, uint32_t tgid);
/* Once per tick: looks again at processes that may have mapped something else. */
void tls_poll(struct tls *t, uint64_t now_ns);

enum tls_state {
	TLS_READ,   /* probed */
	TLS_UNREAD, /* TLS is in there and cannot be read: .why */
	TLS_NONE,   /* a TLS library of another kind, or one that is not used: no probes */
};

struct tls_report {
	enum tls_state state;
	const char *what; /* "libssl.so.3", "crypto/tls go1.19.8", "built in" */
	const char *path; /* as the process sees it */
	size_t probes;
	const char *why; /* "" if it is read */
};

typedef void (*tls_report_fn)(void *self, const struct tls_report *r);
/* One call per TLS library of this process; none if there is no sign of one. Reads files. */
void tls_report(const struct tls *t, uint32_t tgid, tls_report_fn fn, void *self);

#endif
