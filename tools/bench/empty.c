// SPDX-License-Identifier: BSD-2-Clause
/*
 * bench-empty OBJECT CGROUP: attaches the programs of empty.bpf.o to a cgroup, prints
 * "ready" and stays until a signal ends it; the links go with the process.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct bpf_object *obj;
	struct bpf_program *prog;
	int cgroup;

	if (argc != 3)
		return 2;
	obj = bpf_object__open_file(argv[1], NULL);
	cgroup = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!obj || cgroup < 0 || bpf_object__load(obj)) {
		fprintf(stderr, "bench-empty: cannot load %s for %s\n", argv[1], argv[2]);
		return 1;
	}
	bpf_object__for_each_program(prog, obj) {
		if (!bpf_program__attach_cgroup(prog, cgroup)) {
			fprintf(stderr, "bench-empty: cannot attach to %s\n", argv[2]);
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
