/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../lib/sem-image.h"
#include "unit.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

static const unsigned values[] = { 0, 1, 2, 3, 255, 256, 65535, 1u << 30, SEM_VALUE_MAX };

static void test_values(void)
{
	struct sem_image image;
	sem_t sem;

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		memset(&sem, 0, sizeof(sem));
		sem_init(&sem, 1, values[i]);
		CHECK_INT(sem_image_read(&sem, sizeof(sem), &image), 0);
		CHECK_INT(image.value, values[i]);
		CHECK_INT(image.waiters, 0);
		CHECK(image.whole);
	}
}

/* In memory that held something before: libc does not touch the end of it. */
static void test_dirty(void)
{
	struct sem_image image;
	sem_t sem;

	memset(&sem, 0, sizeof(sem));
	sem_init(&sem, 1, 9);
	((char *)&sem)[sizeof(sem) - 1] = 0x5a;
	CHECK_INT(sem_image_read(&sem, sizeof(sem), &image), 0);
	CHECK_INT(image.value, 9);
	CHECK(!image.whole);
}

static void test_refused(void)
{
	unsigned char bytes[sizeof(sem_t) * 2];
	struct sem_image image = { .value = 77 };
	sem_t sem;

	memset(bytes, 0, sizeof(bytes));
	CHECK_INT(sem_image_read(bytes, sizeof(sem_t), &image), -EBADMSG);
	memset(bytes, 0xff, sizeof(bytes));
	CHECK_INT(sem_image_read(bytes, sizeof(sem_t), &image), -EBADMSG);
	memset(bytes, 'a', sizeof(bytes));
	CHECK_INT(sem_image_read(bytes, sizeof(sem_t), &image), -EBADMSG);

	memset(&sem, 0, sizeof(sem));
	sem_init(&sem, 1, 1);
	memcpy(bytes, &sem, sizeof(sem));
	CHECK_INT(sem_image_read(bytes, sizeof(sem_t) - 1, &image), -EBADMSG);
	CHECK_INT(sem_image_read(bytes, sizeof(sem_t) + 1, &image), -EBADMSG);
	CHECK_INT(sem_image_read(bytes, 0, &image), -EBADMSG);
	CHECK_INT(image.value, 77);

	/* One that is private to a process is none that others can use. */
	memset(&sem, 0, sizeof(sem));
	sem_init(&sem, 0, 1);
	CHECK_INT(sem_image_read(&sem, sizeof(sem), &image), -EBADMSG);
}

static void *wait_for_it(void *arg)
{
	while (sem_wait(arg))
		;
	return NULL;
}

/* libc's own count, while a thread waits and after. */
static void test_waiters(void)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	struct sem_image image = { 0 };
	pthread_t thread;
	sem_t sem;

	memset(&sem, 0, sizeof(sem));
	sem_init(&sem, 1, 0);
	if (!CHECK_INT(pthread_create(&thread, NULL, wait_for_it, &sem), 0))
		return;
	for (int i = 0; i < 5000 && image.waiters != 1; i++) {
		nanosleep(&pause, NULL);
		CHECK_INT(sem_image_read(&sem, sizeof(sem), &image), 0);
	}
	CHECK_INT(image.waiters, 1);
	CHECK_INT(image.value, 0);
	sem_post(&sem);
	pthread_join(thread, NULL);
	CHECK_INT(sem_image_read(&sem, sizeof(sem), &image), 0);
	CHECK_INT(image.waiters, 0);
	CHECK_INT(image.value, 0);
}

int main(void)
{
	test_values();
	test_dirty();
	test_refused();
	test_waiters();
	return unit_done("stored semaphores");
}
