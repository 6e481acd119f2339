/* Arm MPS2 with the AN386 image, a Cortex-M4, as QEMU emulates it: start, console and exit. */

#include "board.h"

/* UART0, a CMSDK APB UART. */
#define UART0_DATA (*(volatile uint32_t *)0x40004000)
#define UART0_STATE (*(volatile uint32_t *)0x40004004)
#define UART0_CONTROL (*(volatile uint32_t *)0x40004008)
#define UART0_BAUD_DIVIDER (*(volatile uint32_t *)0x40004010)
#define TRANSMIT_FULL 1u
#define TRANSMIT_ENABLE 1u

/* Coprocessor access: both bits of coprocessors 10 and 11, which are the FPU. The int8 code has no
   floating-point operation, but a compiler may move words through the FPU's registers. */
#define CPACR (*(volatile uint32_t *)0xE000ED88)
#define FPU_ENABLE (0xFu << 20)

/* Semihosting: SYS_EXIT_EXTENDED takes the address of a reason and an exit code. */
#define SYS_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT 0x20026

extern uint32_t stack_top[], bss_start[], bss_end[];

int main(void);

void board_write(const char *text) {
  for (; *text; text++) {
    while (UART0_STATE & TRANSMIT_FULL) {
    }
    UART0_DATA = (uint8_t)*text;
  }
}

/* Ends the emulation. */
static void board_exit(uint32_t code) {
  const uint32_t reason[2] = {APPLICATION_EXIT, code};
  register uint32_t operation __asm__("r0") = SYS_EXIT_EXTENDED;
  register const uint32_t *argument __asm__("r1") = reason;
  __asm__ volatile("bkpt 0xab" : "+r"(operation) : "r"(argument) : "memory");
  for (;;) {
  }
}

static void on_reset(void) {
  CPACR |= FPU_ENABLE;
  __asm__ volatile("dsb\n\tisb");
  for (uint32_t *word = bss_start; word < bss_end; word++) {
    *word = 0;
  }
  UART0_BAUD_DIVIDER = 25000000 / 115200;
  UART0_CONTROL = TRANSMIT_ENABLE;
  board_exit((uint32_t)main());
}

static void on_fault(void) { board_exit(255); }

/* Where the processor starts: the stack, then a handler for each exception. */
__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, on_reset, on_fault, on_fault, on_fault, on_fault, on_fault,
};
