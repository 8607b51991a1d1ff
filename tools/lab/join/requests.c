/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests by their id: what the load, the gateway's log, the backend and why502 tell of each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "join.h"

#define FIELDS_MAX 12

static struct request **slot(const struct join *app, const char *id)
{
	uint64_t h = 1469598103934665603ull;
	size_t i;

	for (const char *p = id; *p; p++)
		h = (h ^ (uint8_t)*p) * 1099511628211ull;
	for (i = h & (app->cap - 1); app->table[i] && strcmp(app->table[i]->id, id);)
		i = (i + 1) & (app->cap - 1);
	return &app->table[i];
}

static void grow(struct join *app)
{
	struct request **old = app->table;
	size_t n = app->cap;

	app->cap = n ? n * 2 : 1 << 16;
	app->table = calloc(app->cap, sizeof(*app->table));
	if (!app->table)
		exit(1);
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*slot(app, old[i]->id) = old[i];
	free(old);
}

static struct request *request_get(struct join *app, const char *id, bool create)
{
	struct request **s;

	if (app->used * 2 >= app->cap)
		grow(app);
	s = slot(app, id);
	if (!*s && create) {
		*s = calloc(1, sizeof(**s));
		if (!*s)
			exit(1);
		snprintf((*s)->id, sizeof((*s)->id), "%s", id);
		app->used++;
	}
	return *s;
}

/* "/fault/ID?c=cause" -> ID; false if the path is not the lab's. */
static bool id_of(char *out, size_t cap, const char *target)
{
	const char *p = target[0] == '/' ? strchr(target + 1, '/') : NULL;
	size_t n = p ? strspn(p + 1, "0123456789abcdef") : 0;

	if (n != 12 || n >= cap)
		return false;
	memcpy(out, p + 1, n);
	out[n] = '\0';
	return true;
}

static size_t split(char *line, char **field)
{
	size_t n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (n < FIELDS_MAX && line) {
		field[n++] = line;
		line = strchr(line, '\t');
		if (line)
			*line++ = '\0';
	}
	return n;
}

/* Calls fn for every line with at least min fields; whole is the line as it stood. */
static int each_line(struct join *app, const char *path, size_t min,
		     void (*fn)(struct join *app, char **field, const char *whole))
{
	FILE *in = fopen(path, "r");
	char line[4096], whole[4096], *field[FIELDS_MAX] = { 0 };

	if (!in) {
		perror(path);
		return -1;
	}
	while (fgets(line, sizeof(line), in)) {
		memcpy(whole, line, sizeof(line));
		if (split(line, field) >= min)
			fn(app, field, whole);
	}
	fclose(in);
	return 0;
}

static void on_truth(struct join *app, char **f, const char *whole)
{
	struct request *r = request_get(app, f[0], true);

	r->in_truth = true;
	snprintf(r->fault, sizeof(r->fault), "%s", f[1]);
	snprintf(r->expected, sizeof(r->expected), "%s", f[2]);
	snprintf(r->upstream, sizeof(r->upstream), "%s", f[3]);
	snprintf(r->status, sizeof(r->status), "%s", f[5]);
	r->sent_us = strtoull(f[4], NULL, 10);
	r->complete = f[7][0] == '1';
	r->is_early = r->sent_us < app->ready_us;
	r->truth_line = strdup(whole);
}

/* msec method uri status upstream_addr upstream_status ... */
static void on_access(struct join *app, char **f, const char *whole)
{
	struct request *r;
	char id[24];

	if (!id_of(id, sizeof(id), f[2]))
		return;
	r = request_get(app, id, true);
	r->in_access = true;
	r->access_status =
		(unsigned)strtoul(f[3][0] == '-' ? "0" : f[3], NULL, 10); /* -1: HAProxy */
	r->access_line = strdup(whole);
	for (char *a = strtok(f[4], ", "); a; a = strtok(NULL, ", "))
		if (strrchr(a, ':') && a[strlen(a) - 1] != ':' && r->naddrs < ADDRS_MAX)
			snprintf(r->addrs[r->naddrs++], sizeof(r->addrs[0]), "%s", a);
}

/* backend: time event peer_ip peer_port local_port id ... */
static void on_backend(struct join *app, char **f, const char *whole)
{
	struct request *r = f[5][0] != '-' ? request_get(app, f[5], false) : NULL;

	if (!r)
		return;
	if (!strcmp(f[1], "queued"))
		r->queued = true;
	if (!strcmp(f[1], "request") && r->nsockets < SOCKETS_MAX)
		r->sockets[r->nsockets++] = (struct socket_pair){
			.gateway_port = (unsigned)atoi(f[3]),
			.backend_port = (unsigned)atoi(f[4]),
		};
}

int read_findings(struct join *app, const char *path)
{
	FILE *in = fopen(path, "r");
	struct request *r;
	const char *type;
	char *line = NULL, id[24];
	size_t cap = 0;
	json_t *json;

	if (!in) {
		perror(path);
		return -1;
	}
	while (getline(&line, &cap, in) > 0) {
		json = json_loads(line, 0, NULL);
		type = json_string_value(json_object_get(json, "type"));
		if (!type) {
			fprintf(stderr, "not a JSON object with a type: %s", line);
			return -1;
		}
		if (!strcmp(type, "stats"))
			app->lost =
				(unsigned long)json_integer_value(json_object_get(json, "lost"));
		if (strcmp(type, "finding")) {
			json_decref(json);
			continue;
		}
		const char *target = json_string_value(
			json_object_get(json_object_get(json, "request"), "target"));
		r = target && id_of(id, sizeof(id), target) ? request_get(app, id, false) : NULL;
		if (!r) {
			app->stray++;
			json_decref(json);
			continue;
		}
		r->nfindings++;
		if (r->finding)
			json_decref(r->finding);
		r->finding = json;
	}
	free(line);
	fclose(in);
	return 0;
}

int read_truth(struct join *app, const char *path)
{
	return each_line(app, path, 10, on_truth);
}

int read_access(struct join *app, const char *path)
{
	return each_line(app, path, 8, on_access);
}

int read_backend(struct join *app, const char *path)
{
	return each_line(app, path, 8, on_backend);
}
