/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Programs that look like deadlocks and are none: "none" must never be reported, "inferred" at most as that, since
 * a signal could end it. Those of the first kind wait for something outside, or for somebody who does.
 */

#include "stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t semaphore;
static int own_pipe[2];
static void (*hold)(void); /* what the owner of the mutex does; it does not come back */
static const char *holds;

static void lock(void)
{
	must0(pthread_mutex_lock(&mutex), "pthread_mutex_lock");
}

/* One holds the mutex in whatever it does, and the other waits for it. */
static void lock_or_hold(unsigned me)
{
	if (me == 0) {
		meet(0, 2);
		waits("mutex", 1);
		lock();
		return;
	}
	lock();
	meet(0, 2);
	if (holds)
		waits(holds, NOBODY);
	hold();
}

static void start(void (*what)(void), const char *kind)
{
	hold = what;
	holds = kind;
	threads(2, lock_or_hold);
}

/* ---- never reported ---- */

static void run(void)
{
	settled();
	for (volatile unsigned long turns = 0;; turns++)
		;
}

static void play_running(long arg)
{
	(void)arg;
	start(run, NULL);
}

static void sleep_long(void)
{
	struct timespec time = { .tv_sec = 3600 };

	nanosleep(&time, NULL);
}

static void play_sleeping(long arg)
{
	(void)arg;
	start(sleep_long, "time");
}

static void pause_long(void)
{
	pause();
}

static void play_pause(long arg)
{
	(void)arg;
	start(pause_long, "signal");
}

static void await_signal(void)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must0(pthread_sigmask(SIG_BLOCK, &set, NULL), "pthread_sigmask");
	must0(sigwait(&set, &number), "sigwait");
}

static void play_sigwait(long arg)
{
	(void)arg;
	start(await_signal, "signal");
}

static void read_signals(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	must0(pthread_sigmask(SIG_BLOCK, &set, NULL), "pthread_sigmask");
	fd = must(signalfd(-1, &set, SFD_CLOEXEC), "signalfd");
	must(read(fd, &info, sizeof(info)), "read");
}

static void play_signalfd(long arg)
{
	(void)arg;
	start(read_signals, "signalfd");
}

static void accept_somebody(void)
{
	int listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");

	must(listen(listener, 1), "listen");
	must(accept(listener, NULL, NULL), "accept");
}

static void play_accept(long arg)
{
	(void)arg;
	start(accept_somebody, "connection");
}

static void receive_datagram(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = must(socket(AF_INET, SOCK_DGRAM, 0), "socket");
	char byte;

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)), "bind");
	must(recv(fd, &byte, 1, 0), "recv");
}

static void play_datagram(long arg)
{
	(void)arg;
	start(receive_datagram, "datagram");
}

static void poll_timer(void)
{
	struct itimerspec time = { .it_value.tv_sec = 3600 };
	int fd = must(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), "timerfd_create");
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	must(timerfd_settime(fd, 0, &time, NULL), "timerfd_settime");
	must(poll(&polled, 1, -1), "poll");
}

static void play_timerfd(long arg)
{
	(void)arg;
	start(poll_timer, "timer");
}

/* Nobody has an end for writing yet; anybody may open it. */
static void open_fifo(void)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/ipckit-stage.%d", scratch(), (int)getpid());
	must(mkfifo(path, 0600), path);
	must(open(path, O_RDONLY), path);
}

static void play_fifo(long arg)
{
	(void)arg;
	start(open_fifo, "open");
}

/* The owner is stopped, and goes on when it is continued. */
static pthread_mutex_t *shared;

static void be_stopped(unsigned me)
{
	must0(pthread_mutex_lock(shared), "pthread_mutex_lock");
	meet(0, 2);
	if (me == 1)
		raise(SIGSTOP);
}

static void play_stopped(long arg)
{
	pthread_mutexattr_t attributes;
	siginfo_t info;
	pid_t pid;

	(void)arg;
	shared = shared_memory(4096, NULL);
	must0(pthread_mutexattr_init(&attributes), "pthread_mutexattr_init");
	must0(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED), "shared");
	must0(pthread_mutex_init(shared, &attributes), "pthread_mutex_init");
	pid = process(be_stopped, 1);
	meet(0, 2);
	must(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), "waitid");
	enter(0);
	waits("mutex", 1);
	must0(pthread_mutex_lock(shared), "pthread_mutex_lock");
}

/* A child that waits for something outside. */
static void pause_child(unsigned me)
{
	(void)me;
	waits("signal", NOBODY);
	pause();
}

static void play_child(long arg)
{
	pid_t pid = process(pause_child, 1);

	(void)arg;
	enter(0);
	waits("child", 1);
	must(waitpid(pid, NULL, 0), "waitpid");
}

static void write_to_parent(unsigned me)
{
	static const char data[65536];

	(void)me;
	close(own_pipe[0]);
	waits("pipe-write", 0);
	for (;;)
		must(write(own_pipe[1], data, sizeof(data)), "write");
}

/* Any of two children, of which one is stuck. */
static void play_child_any(long arg)
{
	(void)arg;
	must(pipe(own_pipe), "pipe");
	process(write_to_parent, 2);
	close(own_pipe[1]);
	process(pause_child, 1);
	enter(0);
	waits_for_any("child", 1u << 1 | 1u << 2);
	must(waitpid(-1, NULL, 0), "waitpid");
}

static void read_from_parent(unsigned me)
{
	char byte;

	(void)me;
	close(own_pipe[1]);
	waits("pipe-read", 0);
	must(read(own_pipe[0], &byte, 1), "read");
}

/* A child that is stuck, by its end, or somebody from outside. */
static void play_poll(long arg)
{
	struct pollfd polled[2] = { { .events = POLLIN }, { .events = POLLIN } };
	pid_t pid;

	(void)arg;
	must(pipe(own_pipe), "pipe");
	pid = process(read_from_parent, 1);
	close(own_pipe[0]);
	polled[0].fd = must(syscall(SYS_pidfd_open, pid, 0), "pidfd_open");
	polled[1].fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(listen(polled[1].fd, 1), "listen");
	enter(0);
	waits_for_any("poll", 1u << 1);
	must(poll(polled, 2, -1), "poll");
}

/* Whoever opens it may post, now or tomorrow: one that waits for its turn, and an idle pool. */
static void wait_semaphore(unsigned me)
{
	char name[48];
	sem_t *named;

	snprintf(name, sizeof(name), "/ipckit-stage.%d", (int)(me == 0 ? getpid() : getppid()));
	named = sem_open(name, O_CREAT, 0600, 0);
	if (named == SEM_FAILED)
		fail(name, errno);
	waits("semaphore", NOBODY);
	must(sem_wait(named), "sem_wait");
}

static void play_semaphore(long workers)
{
	processes((unsigned)workers, wait_semaphore);
}

static void wait_queue(unsigned me)
{
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 64 };
	char name[48], text[64];
	mqd_t queue;

	snprintf(name, sizeof(name), "/ipckit-stage.%d", (int)(me == 0 ? getpid() : getppid()));
	queue = must(mq_open(name, O_CREAT | O_RDONLY, 0600, &attributes), name);
	waits("mq-receive", NOBODY);
	must(mq_receive(queue, text, sizeof(text), NULL), "mq_receive");
}

static void play_queue(long workers)
{
	processes((unsigned)workers, wait_queue);
}

/* A timer that the C library serves by a thread of its own, which posts. */
static void post(union sigval value)
{
	(void)value;
	sem_post(&semaphore);
}

static void await_timer(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = post };
	struct itimerspec time = { .it_value.tv_sec = 3600 };
	timer_t timer;

	must(timer_create(CLOCK_MONOTONIC, &event, &timer), "timer_create");
	must(timer_settime(timer, 0, &time, NULL), "timer_settime");
	waits("semaphore", NOBODY);
	must(sem_wait(&semaphore), "sem_wait");
}

static void play_timer_thread(long arg)
{
	(void)arg;
	must(sem_init(&semaphore, 0, 0), "sem_init");
	start(await_timer, NULL);
}

/* ---- never certain: a handler could end it ---- */

static void post_here(int number)
{
	(void)number;
	sem_post(&semaphore);
}

static void write_here(int number)
{
	(void)number;
	if (write(own_pipe[1], "", 1) < 0)
		_exit(1);
}

static void catch(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };

	must(sigaction(number, &action, NULL), "sigaction");
}

static void await_post(void)
{
	waits_for_any("semaphore", 3);
	must(sem_wait(&semaphore), "sem_wait");
}

static void play_handler(long arg)
{
	(void)arg;
	must(sem_init(&semaphore, 0, 0), "sem_init");
	catch(SIGUSR1, post_here);
	start(await_post, NULL);
}

static void play_alarm(long arg)
{
	(void)arg;
	must(sem_init(&semaphore, 0, 0), "sem_init");
	catch(SIGALRM, post_here);
	alarm(3600);
	start(await_post, NULL);
}

static void poll_pipe(void)
{
	struct pollfd polled = { .fd = own_pipe[0], .events = POLLIN };

	waits_for_any("poll", 3);
	must(poll(&polled, 1, -1), "poll");
}

static void read_pipe(void)
{
	char byte;

	waits_for_any("pipe-read", 3);
	must(read(own_pipe[0], &byte, 1), "read");
}

static void play_self_pipe(long polled)
{
	must(pipe2(own_pipe, O_CLOEXEC), "pipe2");
	catch(SIGUSR1, write_here);
	start(polled ? poll_pipe : read_pipe, NULL);
}

static const struct scene scenes[] = {
	{ "running", play_running, 0, 0, "none" },
	{ "sleeping", play_sleeping, 0, 2, "none" },
	{ "pause", play_pause, 0, 2, "none" },
	{ "sigwait", play_sigwait, 0, 2, "none" },
	{ "signalfd", play_signalfd, 0, 2, "none" },
	{ "accept", play_accept, 0, 2, "none" },
	{ "datagram", play_datagram, 0, 2, "none" },
	{ "timerfd", play_timerfd, 0, 2, "none" },
	{ "fifo", play_fifo, 0, 2, "none" },
	{ "stopped", play_stopped, 0, 1, "none" },
	{ "child", play_child, 0, 2, "none" },
	{ "child-any", play_child_any, 0, 3, "none" },
	{ "poll", play_poll, 0, 2, "none" },
	{ "semaphore", play_semaphore, 1, 1, "none" },
	{ "semaphore-pool", play_semaphore, 2, 2, "none" },
	{ "queue", play_queue, 1, 1, "none" },
	{ "queue-pool", play_queue, 2, 2, "none" },
	{ "timer-thread", play_timer_thread, 0, 2, "none" },
	{ "handler", play_handler, 0, 2, "inferred" },
	{ "alarm", play_alarm, 0, 2, "inferred" },
	{ "self-pipe", play_self_pipe, false, 2, "inferred" },
	{ "self-pipe-poll", play_self_pipe, true, 2, "inferred" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
