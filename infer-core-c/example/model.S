/* The artifact, in flash at a multiple of 16: MODEL is its path, in quotes. */

        .section .rodata.model, "a"
        .balign 16
        .global model_start, model_end
model_start:
        .incbin MODEL
model_end:

        .section .note.GNU-stack, "", %progbits
