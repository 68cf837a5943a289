/* A program that does nothing: what is measured is its launcher. With an argument: sleeps until it is killed. */
#include <unistd.h>

int main(int argc, char **argv) {
    (void)argv;
    while (argc > 1) pause();
    return 0;
}
