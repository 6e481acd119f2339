/* Arm MPS2 with the AN386 image, a Cortex-M4, emulated by QEMU: start-up code and console. */

#include "board.h"

/* UART0, a CMSDK APB UART. */
#define UART0_DATA (*(volatile uint32_t *)0x40004000)
#define UART0_STATE (*(volatile uint32_t *)0x40004004)
#define UART0_CONTROL (*(volatile uint32_t *)0x40004008)
#define UART0_BAUD_DIVIDER (*(volatile uint32_t *)0x40004010)
#define TRANSMIT_FULL (1u << 0)
#define RECEIVE_FULL (1u << 1)
#define TRANSMIT_ENABLE (1u << 0)
#define RECEIVE_ENABLE (1u << 1)

/* Coprocessor access: both bits of coprocessors 10 and 11, which are the FPU. The int8 code has no
   floating-point operations, but a compiler may move words through the FPU's registers. */
#define CPACR (*(volatile uint32_t *)0xE000ED88)
#define FPU_ENABLE (0xFu << 20)

extern const uint32_t data_load[];
extern uint32_t stack_top[], data_start[], data_end[], bss_start[], bss_end[];

int main(void);

void board_write(const char *text) {
  for (; *text; text++) {
    while (UART0_STATE & TRANSMIT_FULL) {
    }
    UART0_DATA = (uint8_t)*text;
  }
}

char board_read(void) {
  while (!(UART0_STATE & RECEIVE_FULL)) {
  }
  return (char)UART0_DATA;
}

/* The output of the C library's printf. */
int _write(int file, const char *bytes, int count) {
  (void)file;
  for (int i = 0; i < count; i++) {
    board_write((const char[]){bytes[i], 0});
  }
  return count;
}

static void on_reset(void) {
  CPACR |= FPU_ENABLE;
  __asm__ volatile("dsb\n\tisb");
  const uint32_t *load = data_load;
  for (uint32_t *word = data_start; word < data_end; word++) {
    *word = *load++;
  }
  for (uint32_t *word = bss_start; word < bss_end; word++) {
    *word = 0;
  }
  UART0_BAUD_DIVIDER = 25000000 / 115200;
  UART0_CONTROL = TRANSMIT_ENABLE | RECEIVE_ENABLE;
  main();
  for (;;) {
  }
}

static void on_fault(void) {
  board_write("\r\nfault");
  for (;;) {
  }
}

/* The vector table: the initial stack pointer, then a handler for each exception. */
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, on_reset, on_fault, on_fault, on_fault, on_fault, on_fault,
};
