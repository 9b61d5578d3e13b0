/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "waiters-walk.h"
#include "array.h"
#include "proc.h"
#include "spots.h"
#include "sys.h"
#include "waiters-call.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The walk, and the process under view. */
struct walk {
	const struct ipckit_place *place; /* of the word that is asked for, or NULL */
	struct ipckit_waiters found;
	struct ipckit_spot **spots; /* room for those of one process */
	size_t room;
	struct spots_kept kept;
	uint64_t ipc; /* the reader's namespace, 0: not known */
	int64_t unreadable;

	int dirfd, task; /* of the process, and of its threads */
	pid_t pid;
	size_t first;    /* of its entries */
	bool denied;     /* something of it may not be read */
	bool seen;       /* what some thread of it does was seen */

	/* What is read when a thread of it is found to sleep. */
	bool begun;
	int thread;      /* the directory that tells of the memory: of that thread; -1: dirfd */
	int memory;      /* or -errno */
	struct ipckit_maybe uid;
};

/* 0 for what is normal under the eye of a walk; denials are noted. */
static int allow(struct walk *walk, int r)
{
	if (sys_is_denial(r))
		walk->denied = true;
	return sys_own_trouble(r);
}

/* ---- threads ---- */

static int source(const struct walk *walk)
{
	return walk->thread >= 0 ? walk->thread : walk->dirfd;
}

/* Of a process that goes on without its first thread, the others alone have maps and memory. */
static int begin(struct walk *walk, pid_t tid)
{
	struct proc_status status;
	char name[16];
	int r;

	if (walk->begun)
		return 0;
	walk->begun = true;
	r = proc_status_read(walk->dirfd, &status);
	if (sys_lacks_resources(r))
		return r;
	if (!r)
		walk->uid = ipckit_known(status.uid);
	if (!r && !status.has_mm) {
		snprintf(name, sizeof(name), "%d", (int)tid);
		walk->thread = sys_openat(walk->task, name, O_RDONLY | O_DIRECTORY, 0);
	}
	r = proc_memory_open(source(walk), &walk->memory);
	if (r)
		walk->memory = r;
	return sys_own_trouble(r);
}

static int read_memory(const struct walk *walk, uint64_t address, void *data, size_t size)
{
	return walk->memory < 0 ? walk->memory : proc_memory_read(walk->memory, address, data, size);
}

static void end(struct walk *walk)
{
	if (walk->thread >= 0)
		close(walk->thread);
	if (walk->memory >= 0)
		close(walk->memory);
}

static int add(struct walk *walk, pid_t tid, const struct futex_call *call, struct ipckit_maybe index)
{
	struct ipckit_waiters *found = &walk->found;
	struct ipckit_waiter *larger = array_room(found->list, found->count, sizeof(*larger));

	if (!larger)
		return -ENOMEM;
	found->list = larger;
	larger[found->count++] = (struct ipckit_waiter){
		.pid = walk->pid,
		.tid = tid,
		.operation = call->operation,
		.private = call->private,
		.realtime = call->realtime,
		.timed = call->timed,
		.expected = call->expected,
		.bitset = call->bitset,
		.requeue = call->requeue,
		.owner = { .known = call->pi }, /* to be read from the word */
		.index = index,
		.word.address = call->address,
	};
	return 0;
}

/* The words of a futex_waitv(2). Where they may not be read the thread is an entry all the same. */
static int add_words(struct walk *walk, pid_t tid, struct futex_call *call)
{
	struct futex_waitv words[FUTEX_WAITV_MAX];
	int r = read_memory(walk, call->address, words, call->words * sizeof(*words));

	if (r) {
		walk->denied = true;
		call->address = 0;
		return add(walk, tid, call, ipckit_unknown());
	}
	for (unsigned i = 0; !r && i < call->words; i++) {
		futex_call_word(&words[i], call);
		r = add(walk, tid, call, ipckit_known(i));
	}
	return r;
}

static bool is_likely(const struct walk *walk, const struct futex_call *call)
{
	struct timespec limit;

	if (!call->timed || walk->memory < 0)
		return futex_call_is_likely(call, NULL);
	/* Where nothing is there is no limit either. */
	return !read_memory(walk, call->timeout, &limit, sizeof(limit)) && futex_call_is_likely(call, &limit);
}

/* The same call may be another one: the kernel's function tells, else what the arguments lead to. */
static bool is_certain(const struct walk *walk, const char *thread, const struct futex_call *call)
{
	char path[32], name[128];
	int judged = -1;

	snprintf(path, sizeof(path), "%s/wchan", thread);
	if (proc_read_into(walk->task, path, name, sizeof(name)) >= 0)
		judged = futex_call_judge(name);
	return judged < 0 ? is_likely(walk, call) : judged;
}

static int visit_thread(int task, const char *name, pid_t tid, void *arg)
{
	struct walk *walk = arg;
	struct proc_syscall call;
	struct futex_call wait;
	char path[32], text[PROC_SYSCALL_ROOM];
	int r;

	walk->task = task;
	snprintf(path, sizeof(path), "%s/syscall", name);
	r = (int)proc_read_into(task, path, text, sizeof(text));
	if (r < 0)
		return allow(walk, r);
	walk->seen = true;
	if (proc_syscall_parse(text, &call) || !futex_call_read(&call, &wait))
		return 0;
	r = begin(walk, tid);
	if (r)
		return r;
	if (wait.unsure && !is_certain(walk, name, &wait))
		return 0;
	return wait.words ? add_words(walk, tid, &wait) : add(walk, tid, &wait, ipckit_unknown());
}

/* ---- processes ---- */

static int make_room(struct walk *walk, size_t count)
{
	struct ipckit_spot **larger;

	if (count <= walk->room)
		return 0;
	larger = reallocarray(walk->spots, count, 2 * sizeof(struct ipckit_spot *));
	if (!larger)
		return -ENOMEM;
	walk->spots = larger;
	walk->room = 2 * count;
	return 0;
}

static size_t collect(struct walk *walk)
{
	size_t count = 0;

	for (size_t i = walk->first; i < walk->found.count; i++)
		if (walk->found.list[i].word.address)
			walk->spots[count++] = &walk->found.list[i].word;
	return count;
}

static int find_places(struct walk *walk)
{
	int r = make_room(walk, walk->found.count - walk->first);

	return r ? r : spots_find(source(walk), walk->spots, collect(walk), &walk->kept);
}

/* Identifiers mean something in one IPC namespace only. Who has left it may still have the segment. */
static bool is_foreign(const struct walk *walk)
{
	uint64_t ipc;

	return proc_namespace(source(walk), "ipc", &ipc) || (walk->ipc && ipc != walk->ipc);
}

static bool is_at(const struct ipckit_spot *spot, const struct ipckit_place *place)
{
	return spot->shared && ipckit_place_is(&spot->place, place);
}

static void keep_asked(struct walk *walk)
{
	struct ipckit_waiters *found = &walk->found;
	size_t kept = walk->first;

	if (!walk->place)
		return;
	for (size_t i = walk->first; i < found->count; i++)
		if (is_at(&found->list[i].word, walk->place))
			found->list[kept++] = found->list[i];
	if (walk->place->sysv && kept > walk->first && is_foreign(walk)) {
		walk->denied = true;
		kept = walk->first;
	}
	found->count = kept;
}

static void read_values(struct walk *walk)
{
	if (walk->memory >= 0)
		spots_read(walk->memory, walk->spots, collect(walk));
	for (size_t i = walk->first; i < walk->found.count; i++) {
		struct ipckit_waiter *waiter = &walk->found.list[i];
		const struct ipckit_maybe *value = &waiter->word.value;

		if (waiter->owner.known)
			waiter->owner = value->known ? ipckit_known(value->value & FUTEX_TID_MASK) :
						       ipckit_unknown();
	}
}

static int describe(struct walk *walk)
{
	char *command = NULL;
	int r = proc_command(source(walk), &command);

	if (sys_lacks_resources(r))
		return r;
	r = texts_take(&walk->found.texts, command);
	for (size_t i = walk->first; !r && i < walk->found.count; i++) {
		walk->found.list[i].uid = walk->uid;
		walk->found.list[i].command = command;
	}
	return r;
}

static int complete(struct walk *walk)
{
	int r = find_places(walk);

	/* Without its maps nobody knows on which words the sleepers are. */
	if (sys_is_denial(r) || r == -EBADMSG)
		walk->denied = true;
	if (sys_lacks_resources(r))
		return r;
	keep_asked(walk);
	if (walk->found.count == walk->first)
		return 0;
	read_values(walk);
	return describe(walk);
}

static int look_at_process(struct walk *walk)
{
	int r;

	walk->first = walk->found.count;
	walk->memory = walk->thread = -1;
	walk->denied = walk->seen = walk->begun = false;
	walk->uid = ipckit_unknown();
	r = proc_walk_names(walk->dirfd, "task", visit_thread, walk);
	if (!sys_lacks_resources(r))
		r = allow(walk, r);
	if (!r && walk->found.count > walk->first)
		r = complete(walk);
	end(walk);
	if (r || !walk->denied)
		return r;
	r = proc_has_memory(walk->dirfd);
	if (r < 0)
		return r;
	walk->denied = r;
	walk->unreadable += r;
	return 0;
}

static int visit_process(int dirfd, pid_t pid, void *arg)
{
	struct walk *walk = arg;

	if (dirfd < 0) {
		walk->unreadable++;
		return 0;
	}
	walk->dirfd = dirfd;
	walk->pid = pid;
	return look_at_process(walk);
}

static int visit_one(struct walk *walk, int root, pid_t pid)
{
	struct proc_status status;
	char name[16];
	int r;

	snprintf(name, sizeof(name), "%d", (int)pid);
	walk->dirfd = sys_openat(root, name, O_RDONLY | O_DIRECTORY, 0);
	if (walk->dirfd < 0)
		return walk->dirfd == -ENOENT ? -ESRCH : walk->dirfd == -EPERM ? -EACCES : walk->dirfd;
	/* Threads have a directory, too. */
	r = proc_status_read(walk->dirfd, &status);
	walk->pid = !r && status.tgid ? status.tgid : pid;
	r = sys_lacks_resources(r) ? r : look_at_process(walk);
	close(walk->dirfd);
	return r ? r : walk->denied && !walk->seen ? -EACCES : 0;
}

/* ---- the list ---- */

static int compare(const void *a, const void *b)
{
	const struct ipckit_waiter *x = a, *y = b;

	return array_order(x->pid, y->pid) ?: array_order(x->tid, y->tid) ?: array_order(x->index.value, y->index.value);
}

/* The reader's IPC namespace. */
static void find_self(struct walk *walk, int root)
{
	int self = sys_openat(root, "self", O_RDONLY | O_DIRECTORY, 0);

	if (self < 0)
		return;
	if (proc_namespace(self, "ipc", &walk->ipc))
		walk->ipc = 0;
	close(self);
}

int waiters_look(int root, const struct ipckit_place *place, pid_t pid, struct ipckit_waiters *out)
{
	struct walk walk = { .place = place };
	int hides = pid ? 0 : proc_hides(root);
	int r = hides < 0 ? hides : 0;

	walk.kept.texts = &walk.found.texts;
	if (place && place->sysv)
		find_self(&walk, root);
	if (!r)
		r = pid ? visit_one(&walk, root, pid) : proc_walk(root, ".", visit_process, &walk);
	free(walk.spots);
	if (r) {
		ipckit_waiters_free(&walk.found);
		return r;
	}
	if (walk.found.count)
		qsort(walk.found.list, walk.found.count, sizeof(*walk.found.list), compare);
	walk.found.unreadable_processes = hides ? ipckit_unknown() : ipckit_known(walk.unreadable);
	*out = walk.found;
	return 0;
}

/* Without it nobody would be seen to sleep, which is not to say that nobody does. */
static int check_proc(int root)
{
	return sys_result(faccessat(root, "self/syscall", F_OK, 0));
}

static int list(const struct ipckit_waiters_filter *filter, const struct ipckit_place *place,
		struct ipckit_waiters *out)
{
	int root, r = proc_open("/proc", &root);

	if (r)
		return r;
	r = check_proc(root);
	if (!r)
		r = waiters_look(root, place, filter->pid, out);
	close(root);
	/* There may be one that is hidden (hidepid=, see proc(5)). */
	if (r == -ESRCH && filter->pid && (!kill(filter->pid, 0) || errno == EPERM))
		r = -EACCES;
	return r;
}

int ipckit_waiters_list(const struct ipckit_waiters_filter *filter, struct ipckit_waiters *out)
{
	struct ipckit_waiters found;
	struct ipckit_place place;
	int r = 0;

	if (filter->pid < 0)
		return -ESRCH;
	if (filter->word)
		r = ipckit_word_place(filter->word, &place);
	if (!r)
		r = list(filter, filter->word ? &place : NULL, &found);
	if (r)
		return r;
	found.other_pids = !filter->pid && !proc_sees_all_pids();
	*out = found;
	return 0;
}

void ipckit_waiters_free(struct ipckit_waiters *waiters)
{
	free(waiters->list);
	texts_free(&waiters->texts);
	memset(waiters, 0, sizeof(*waiters));
}
