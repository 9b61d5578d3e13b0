// SPDX-License-Identifier: GPL-2.0-or-later
#include "stage.h"

#include <chrono>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <thread>

// The objects are never destroyed: the stage is killed.
template <class Mutex> static Mutex mutexes[2];

template <class Mutex> static void take_two(unsigned me)
{
	mutexes<Mutex>[me].lock();
	meet(0, 2);
	waits("mutex", 1 - static_cast<int>(me));
	mutexes<Mutex>[1 - me].lock();
}

template <class Mutex> static void play_two(long)
{
	threads(2, take_two<Mutex>);
}

static void take_two_timed(unsigned me)
{
	mutexes<std::timed_mutex>[me].lock();
	meet(0, 2);
	waits("mutex", 1 - static_cast<int>(me));
	(void)mutexes<std::timed_mutex>[1 - me].try_lock_for(std::chrono::hours(1));
}

static void play_timed(long)
{
	threads(2, take_two_timed);
}

static void take_two_shared(unsigned me)
{
	mutexes<std::shared_mutex>[me].lock();
	meet(0, 2);
	waits(me == 0 ? "rwlock-write" : "rwlock-read", 1 - static_cast<int>(me));
	if (me == 0)
		mutexes<std::shared_mutex>[1].lock();
	mutexes<std::shared_mutex>[0].lock_shared();
}

static void play_shared(long)
{
	threads(2, take_two_shared);
}

static void play_join(long)
{
	enter(0);
	mutexes<std::mutex>[0].lock();
	std::thread other([] {
		enter(1);
		meet(0, 2);
		waits("mutex", 0);
		mutexes<std::mutex>[0].lock();
	});
	meet(0, 2);
	waits("join", 1);
	other.join();
}

// The value would come from a thread that waits for the mutex.
static std::promise<int> promise;

static void get_or_lock(unsigned me)
{
	if (me == 0) {
		mutexes<std::mutex>[0].lock();
		meet(0, 2);
		waits_for_any("futex", 3);
		promise.get_future().wait();
		return;
	}
	meet(0, 2);
	waits("mutex", 0);
	mutexes<std::mutex>[0].lock();
	promise.set_value(1);
}

static void play_future(long)
{
	threads(2, get_or_lock);
}

static const struct scene scenes[] = {
	{ "mutex", play_two<std::mutex>, 0, 2, "certain" },
	{ "recursive", play_two<std::recursive_mutex>, 0, 2, "certain" },
	{ "timed", play_timed, 0, 2, "timed" },
	{ "shared", play_shared, 0, 2, "certain" },
	{ "join", play_join, 0, 2, "certain" },
	{ "future", play_future, 0, 2, "certain" },
};

int main(int argc, char **argv)
{
	return stage(argc, argv, scenes, sizeof(scenes) / sizeof(*scenes));
}
