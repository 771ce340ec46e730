/* What pki is linked with if it is linked statically: see packaging/static-pki. */
#include <elf.h>

/* The name services of a static glibc (users, hosts) load shared libraries of the machine that the program runs on.
   They fit one version of glibc only: with another, the process dies of a signal. Linked with
   --wrap=__libc_dlopen_mode, this answers that there are none. Files and DNS are built in. */
void *__wrap___libc_dlopen_mode(const char *name, int mode) {
    (void)name;
    (void)mode;
    return 0;
}

extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));
void __real__dl_relocate_static_pie(void);

/* A program at a random address writes addresses into sixty pages when it starts, and faults on each. Linked with
   --wrap=_dl_relocate_static_pie, this asks for all of them at once: madvise(MADV_POPULATE_WRITE), since Linux 5.14.
   Nothing of the C library works yet, hence the system call by hand. If it fails, the pages come one by one. */
void __wrap__dl_relocate_static_pie(void) {
#if defined(__x86_64__)
    const char *base = (const char *)&__ehdr_start;
    const Elf64_Phdr *segment = (const Elf64_Phdr *)(base + __ehdr_start.e_phoff);
    const unsigned long page = 4096;
    for (int left = __ehdr_start.e_phnum; left > 0; left--, segment++) {
        if (segment->p_type == PT_GNU_RELRO) {
            unsigned long begin = (unsigned long)(base + segment->p_vaddr);
            unsigned long end = begin + segment->p_filesz;
            unsigned long from = begin & ~(page - 1);
            long result = 28; /* madvise */
            __asm__ volatile("syscall"
                             : "+a"(result)
                             : "D"(from), "S"(end - from), "d"(23 /* MADV_POPULATE_WRITE */)
                             : "rcx", "r11", "memory");
        }
    }
#endif
    __real__dl_relocate_static_pie();
}
