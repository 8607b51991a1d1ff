/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of logfmt share: a compiled format, and what a line holds by its fields. */
#ifndef SOURCE_LOGFMT_IMPL_H
#define SOURCE_LOGFMT_IMPL_H

#include "source/logfmt.h"

#define LOG_PARTS_MAX 64
#define LOG_TEXT_MAX  2048

/* What stands in a line. LISTs hold a value per try: "a, b : c" (nginx). */
enum log_field {
	LOG_SKIP = 0,
	LOG_CLF,     /* 22/Nov/2026:12:06:21 +0000 */
	LOG_ISO,     /* 2026-11-22T12:06:21+00:00 */
	LOG_HAP,     /* 22/Nov/2026:12:06:21.341, of the accept */
	LOG_HAP_REQ, /* the same, of the request */
	LOG_EPOCH,   /* seconds, with decimals or without */
	LOG_EPOCH_MS,
	LOG_EPOCH_US,
	LOG_FRAC_MS, /* to be added to a stamp of whole seconds */
	LOG_FRAC_US,
	LOG_REQUEST, /* METHOD target HTTP/1.1 */
	LOG_METHOD,
	LOG_TARGET,
	LOG_PATH, /* target without query, perhaps rewritten */
	LOG_QUERY,
	LOG_HOST,
	LOG_ID,
	LOG_STATUS,
	LOG_STATUS_FIRST, /* Apache %s: before an internal redirect */
	LOG_UP_ADDR,	  /* LIST */
	LOG_UP_STATUS,	  /* LIST */
	LOG_UP_CONNECT,	  /* LIST, seconds */
	LOG_UP_TIME,	  /* LIST, seconds */
	LOG_UP_CONNECT_MS,
	LOG_UP_TIME_MS,
	LOG_UP_IP,
	LOG_UP_PORT,
	LOG_UP_URL,  /* http://10.0.3.17:8080 */
	LOG_RETRIES, /* at the same server; +N: the last one at another */
	LOG_DUR_S,
	LOG_DUR_MS,
	LOG_DUR_US,
	LOG_TOTAL_MS, /* since the accept */
	LOG_CLIENT,
	LOG_CPORT,
	LOG_PID,
	LOG_CODE,
	LOG_GROUP, /* {...} or nothing, and then the blank behind it is missing, too */
	LOG_FIELD_MAX,
};

struct log_span {
	const char *p; /* NULL = not in the line */
	size_t len;
};

struct log_values {
	struct log_span v[LOG_FIELD_MAX];
};

struct log_part {
	uint8_t field;
	uint16_t at, len; /* the text behind the field, in logfmt.text */
};

struct logfmt {
	enum w5_log_kind kind;
	const char *name;
	bool is_json;
	bool open_end;	 /* more may follow in the line */
	bool stamp_ends; /* the stamp is of the request's end, else of its begin */
	size_t nparts;	 /* part 0 has no field, only text */
	struct log_part parts[LOG_PARTS_MAX];
	size_t ntext;
	char text[LOG_TEXT_MAX];
};

/* ---- logfields.c: the directives of each kind ---- */

struct log_directive {
	enum log_field field;
	size_t used;	  /* bytes of the format; 0 = no directive here */
	char open, close; /* what the gateway itself puts around the value; '\0' = nothing */
	bool ends;	  /* this stamp is of the end */
};
struct log_directive log_directive_at(enum w5_log_kind kind, const char *s);

/* ---- logshape.c ---- */
bool log_shape_fits(enum log_field field, const char *s, size_t len);

/* ---- logmatch.c ---- */
bool logfmt_match(const struct logfmt *f, const char *line, size_t len, struct log_values *out);

/* ---- logvalue.c: 0 or -EBADMSG ---- */
int log_values_read(const struct logfmt *f, const struct log_values *v,
		    const struct log_clock *clock, struct w5_log *out);
bool log_given(struct log_span s); /* it is there, and not "-" */
/* Digits only, with or without a sign; -1 and what is too large are not known. */
bool log_number(uint64_t *out, struct log_span s);
uint64_t log_number_below(struct log_span s, uint64_t max); /* or at it; 0 if it is not */
uint32_t log_us(uint64_t us);				    /* as much as fits */
/* 10.0.3.17, [::1]:8080, 10.0.3.17:8080; *port stays if there is none. */
bool log_set_addr(struct w5_addr *ip, uint16_t *port, const char *s, size_t len);

/* ---- logmoment.c ---- */
/* The time of the line, when and how exact; false: not to be believed. */
struct log_moment {
	uint64_t wall_ns;
	uint64_t precision_us;
	bool is_end; /* else: of the begin, and the request lasted .duration_us */
	bool has_duration;
	uint64_t duration_us;
};
bool log_moment_of(struct log_moment *m, const struct logfmt *f, const struct log_values *v,
		   uint64_t now_wall_ns);
bool log_set_times(struct w5_log *out, const struct log_moment *m, const struct log_clock *clock);

/* ---- loghead.c ---- */
struct log_head {
	struct log_span method, target, query, proto, host, id;
	char escape; /* '\\' or '#': how the gateway writes bytes it does not print */
};
void log_set_head(struct w5_log *out, const struct log_head *h);
void log_take_head(struct w5_log *out, const struct logfmt *f, const struct log_values *v);

/* ---- logjson.c ---- */
int log_json_read(const char *line, size_t len, const struct log_clock *clock, struct w5_log *out);

#endif
