// SPDX-License-Identifier: BSD-2-Clause
/* The fault table: which requests there are, and which of them this run sends how often. */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/process.h"

static char *field(char **line)
{
	char *s = *line, *p = s, *end;

	while (*p && !(*p == '|' && (p == s || p[-1] != '\\')))
		p++;
	*line = *p ? p + 1 : p;
	*p = '\0';
	s += strspn(s, " \t");
	for (end = s + strlen(s); end > s && strchr(" \t\n", end[-1]); end--)
		end[-1] = '\0';
	return s;
}

static void copy(char *out, size_t cap, const char *in)
{
	size_t n = 0;

	for (; *in && n + 1 < cap; in++)
		if (*in != '\\')
			out[n++] = *in;
	out[n] = '\0';
}

/* "be:9001,max_fails=0 be:9000,backup" -> the last peer, which decides: 10.77.3.2:9000 */
static void upstream_of(char *out, size_t cap, char *peers)
{
	static const struct {
		const char *name, *addr;
	} hosts[] = {
		{ "be:", "10.77.3.2:" },
		{ "be6:", "[fd77:3::2]:" },
		{ "far:", "10.77.4.2:" },
	};
	char *last = strrchr(peers, ' ');

	last = last ? last + 1 : peers;
	last[strcspn(last, ",")] = '\0';
	for (size_t i = 0; i < 3; i++) {
		if (!strncmp(last, hosts[i].name, strlen(hosts[i].name))) {
			snprintf(out, cap, "%s%s", hosts[i].addr, last + strlen(hosts[i].name));
			return;
		}
	}
	copy(out, cap, last);
}

static void load_opts(struct fault *f, char *opts)
{
	for (char *o = strtok(opts, ","); o; o = strtok(NULL, ",")) {
		if (sscanf(o, "prime=%u", &f->prime_ms) == 1 ||
		    sscanf(o, "batch=%u", &f->batch) == 1 ||
		    sscanf(o, "abort=%u", &f->abort_ms) == 1 ||
		    sscanf(o, "body=%zu", &f->body) == 1)
			continue;
		fprintf(stderr, "lab-load: %s: unknown option %s\n", f->name, o);
		exit(2);
	}
	if (!f->batch)
		f->batch = 1;
	if (f->batch > BATCH_MAX)
		f->batch = BATCH_MAX;
}

int table_read(struct load *load, const char *path)
{
	FILE *in = fopen(path, "r");
	char line[1024], *p;
	struct fault *f;

	if (!in)
		return -errno;
	while (fgets(line, sizeof(line), in)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (load->nfaults == FAULTS_MAX) {
			fprintf(stderr, "lab-load: more than %d faults: raise FAULTS_MAX\n",
				FAULTS_MAX);
			fclose(in);
			return -E2BIG;
		}
		p = line;
		f = &load->faults[load->nfaults++];
		copy(f->set, sizeof(f->set), field(&p));
		copy(f->name, sizeof(f->name), field(&p));
		copy(f->cause, sizeof(f->cause), field(&p));
		copy(f->method, sizeof(f->method), field(&p));
		field(&p); /* status: judged by whoever reads the truth */
		upstream_of(f->upstream, sizeof(f->upstream), field(&p));
		field(&p); /* backend */
		field(&p); /* middle */
		load_opts(f, field(&p));
	}
	fclose(in);
	return 0;
}

/* MIX is "SET|FAULT[@RATE][+START_S],...": RATE per second instead of N over the duration. */
int table_choose(struct load *load, char *mix, unsigned count, double seconds)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	char name[64];
	double rate, start;
	bool found;

	for (char *m = strtok(mix, ","); m; m = strtok(NULL, ",")) {
		char *at = strchr(m, '@'), *plus = strchr(m, '+');

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(m, "@+"), m);
		rate = at ? strtod(at + 1, NULL) : count / (seconds > 0 ? seconds : 1);
		start = plus ? strtod(plus + 1, NULL) : 0;
		found = false;
		for (struct fault *f = load->faults; f < load->faults + load->nfaults; f++) {
			if ((strcmp(f->name, name) && strcmp(f->set, name)) ||
			    !strcmp(f->set, "ok"))
				continue;
			found = f->is_chosen = true;
			f->left = at ? UINT32_MAX : count;
			f->every_ns = rate > 0 ? (double)SEC / rate * f->batch : 0;
			/* spread the beginnings: faults must not all strike in the same tick */
			f->next_ns = now + (uint64_t)(start * SEC) +
				     (uint64_t)(f->every_ns * (double)(f - load->faults) /
						(double)load->nfaults);
		}
		if (!found) {
			fprintf(stderr, "lab-load: no fault or set named %s\n", name);
			return -ENOENT;
		}
	}
	return 0;
}
