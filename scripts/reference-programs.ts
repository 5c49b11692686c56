/** Two tiny programs in machine code, so that the reference inputs need no compiler: a server for containers, a boot sector. */

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What every reference container answers, whatever it is asked. */
const healthAnswer = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";

/**
 * x86-64 Linux, position independent: prints its arguments, answers every connection to the port that its first argument
 * names, and ends with 0 on SIGTERM or SIGINT, also as PID 1. Ends with 1 where it has no port.
 */
export const healthServerCode: Uint8Array = joined([
  hex([
    "4c8b2424", // mov r12,[rsp]; argc
    "4c8d6c2408", // lea r13,[rsp+0x8]; argv
    "bf0f000000", // mov edi,0xf; SIGTERM; PID 1 ignores it unless it asks for it
    "e83a010000", // call onsignal
    "bf02000000", // mov edi,0x2
    "e830010000", // call onsignal
    "4531f6", // xor r14d,r14d; every argument on a line of its own
    // args:
    "4b8b74f500", // mov rsi,[r13+r14*8+0x0]
    "e851010000", // call print
    "488d3564010000", // lea rsi,[newline]
    "e845010000", // call print
    "49ffc6", // inc r14
    "4d39e6", // cmp r14,r12
    "72e2", // jb args
    "31db", // xor ebx,ebx
    "4983fc02", // cmp r12,0x2; the first argument is the port
    "0f82ec000000", // jb fail
    "498b7508", // mov rsi,[r13+0x8]
    // digit:
    "0fb606", // movzx eax,byte [rsi]
    "83e830", // sub eax,0x30
    "83f809", // cmp eax,0x9
    "770a", // ja portdone
    "6bdb0a", // imul ebx,ebx,0xa
    "01c3", // add ebx,eax
    "48ffc6", // inc rsi
    "ebeb", // jmp digit
    // portdone:
    "b829000000", // mov eax,0x29; socket(AF_INET, SOCK_STREAM, 0)
    "bf02000000", // mov edi,0x2
    "be01000000", // mov esi,0x1
    "31d2", // xor edx,edx
    "0f05", // syscall
    "4989c7", // mov r15,rax
    "b836000000", // mov eax,0x36; setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    "4c89ff", // mov rdi,r15
    "be01000000", // mov esi,0x1
    "ba02000000", // mov edx,0x2
    "4c8d1505010000", // lea r10,[one]
    "41b804000000", // mov r8d,0x4
    "0f05", // syscall
    "86fb", // xchg bl,bh; the port in network order
    "4881ec10040000", // sub rsp,0x410
    "48c7042400000000", // mov [rsp],0x0
    "48c744240800000000", // mov [rsp+0x8],0x0
    "66c704240200", // mov word [rsp],0x2
    "66895c2402", // mov word [rsp+0x2],bx
    "b831000000", // mov eax,0x31; bind
    "4c89ff", // mov rdi,r15
    "4889e6", // mov rsi,rsp
    "ba10000000", // mov edx,0x10
    "0f05", // syscall
    "85c0", // test eax,eax
    "7561", // jne fail
    "b832000000", // mov eax,0x32; listen, 16 waiting
    "4c89ff", // mov rdi,r15
    "be10000000", // mov esi,0x10
    "0f05", // syscall
    // accept:
    "b82b000000", // mov eax,0x2b; accept
    "4c89ff", // mov rdi,r15
    "31f6", // xor esi,esi
    "31d2", // xor edx,edx
    "0f05", // syscall
    "85c0", // test eax,eax
    "78ee", // js accept
    "89c3", // mov ebx,eax
    "31c0", // xor eax,eax
    "89df", // mov edi,ebx
    "488d742410", // lea rsi,[rsp+0x10]
    "ba00040000", // mov edx,0x400
    "0f05", // syscall
    "b801000000", // mov eax,0x1
    "89df", // mov edi,ebx
    "488d3585000000", // lea rsi,[answer]
    "ba29000000", // mov edx,0x29
    "0f05", // syscall
    "b830000000", // mov eax,0x30; shutdown(SHUT_WR)
    "89df", // mov edi,ebx
    "be01000000", // mov esi,0x1
    "0f05", // syscall
    "b803000000", // mov eax,0x3; close
    "89df", // mov edi,ebx
    "0f05", // syscall
    "ebae", // jmp accept
    // fail:
    "bf01000000", // mov edi,0x1
    "eb02", // jmp exit
    // handler:
    "31ff", // xor edi,edi
    // exit:
    "b8e7000000", // mov eax,0xe7; exit_group
    "0f05", // syscall
    // restorer:
    "b80f000000", // mov eax,0xf; rt_sigreturn
    "0f05", // syscall
    // onsignal:
    "488d05e9ffffff", // lea rax,[handler]
    "6a00", // push 0x0
    "488d15e9ffffff", // lea rdx,[restorer]
    "52", // push rdx
    "6800000004", // push 0x4000000
    "50", // push rax
    "4889e6", // mov rsi,rsp
    "31d2", // xor edx,edx
    "41ba08000000", // mov r10d,0x8
    "b80d000000", // mov eax,0xd; rt_sigaction
    "0f05", // syscall
    "4883c420", // add rsp,0x20
    "c3", // ret
    // print:
    "31d2", // xor edx,edx
    // length:
    "803c1600", // cmp byte [rsi+rdx*1],0x0
    "7405", // je write
    "48ffc2", // inc rdx
    "ebf5", // jmp length
    // write:
    "bf01000000", // mov edi,0x1
    "b801000000", // mov eax,0x1
    "0f05", // syscall
    "c3", // ret
  ]),
  // newline:
  ascii("\n\0"),
  // one:
  Uint8Array.of(1, 0, 0, 0),
  // answer:
  ascii(healthAnswer),
]);

/** What the reference image says at boot, on the first serial port and on the screen. */
export const bootMessage = "cloudlet reference image: booted";

/** x86 real mode: the first sector of a disk. Says its message on the serial port, then on the screen, and halts. */
export const bootSector: Uint8Array = sector(
  joined([
    hex([
      "31c0", // xor ax,ax
      "8ed8", // mov ds,ax
      "8ed0", // mov ss,ax
      "bc007c", // mov sp,0x7c00
      "fc", // cld
      "bafb03", // mov dx,0x3fb; COM1's line control: the divisor's bytes come next
      "b080", // mov al,0x80
      "ee", // out dx,al
      "baf803", // mov dx,0x3f8; 1 is 115,200 baud
      "b001", // mov al,0x1
      "ee", // out dx,al
      "42", // inc dx
      "30c0", // xor al,al
      "ee", // out dx,al
      "bafb03", // mov dx,0x3fb; 8 bits, no parity, 1 stop bit
      "b003", // mov al,0x3
      "ee", // out dx,al
      "be4e7c", // mov si,text
      // next:
      "ac", // lodsb
      "84c0", // test al,al
      "7412", // je screen
      "88c3", // mov bl,al
      "bafd03", // mov dx,0x3fd; COM1's line status
      // ready:
      "ec", // in al,dx
      "a820", // test al,0x20; where there is no port, every bit is set
      "74fb", // je ready
      "baf803", // mov dx,0x3f8
      "88d8", // mov al,bl
      "ee", // out dx,al
      "ebe9", // jmp next
      // screen: the whole line again, for a BIOS may copy the screen to the same port
      "be4e7c", // mov si,text
      // character:
      "ac", // lodsb
      "84c0", // test al,al
      "7409", // je halt
      "b40e", // mov ah,0xe; BIOS: write a character
      "bb0700", // mov bx,0x7
      "cd10", // int 0x10
      "ebf2", // jmp character
      // halt:
      "f4", // hlt; interrupts stay on, for with them the BIOS brings the end of the line to the screen
      "ebfd", // jmp halt
    ]),
    // text:
    ascii(`\r\n${bootMessage}\r\n\0`),
  ]),
);

/** A static ELF program that is nothing but code: header, one segment that may be read and run, entry at its start. */
export function elf(code: Uint8Array): Uint8Array {
  const base = 0x400000;
  const headers = 120;
  const file = Buffer.alloc(headers + code.byteLength);
  // e_ident: ELF, 64 bit, little endian, version 1; then an executable for x86-64.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0);
  file.writeUInt16LE(2, 16);
  file.writeUInt16LE(62, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(base + headers), 24);
  file.writeBigUInt64LE(64n, 32);
  file.writeUInt16LE(64, 52);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(1, 56);
  // The program header: PT_LOAD, readable and executable, the whole file.
  file.writeUInt32LE(1, 64);
  file.writeUInt32LE(5, 68);
  file.writeBigUInt64LE(BigInt(base), 80);
  file.writeBigUInt64LE(BigInt(base), 88);
  file.writeBigUInt64LE(BigInt(file.byteLength), 96);
  file.writeBigUInt64LE(BigInt(file.byteLength), 104);
  file.writeBigUInt64LE(0x1000n, 112);
  file.set(code, headers);
  return file;
}

/** 512 bytes with the mark that the BIOS looks for. */
function sector(code: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(512);
  bytes.set(code);
  bytes.set([0x55, 0xaa], 510);
  return bytes;
}

function hex(lines: readonly string[]): Uint8Array {
  return Buffer.from(lines.join(""), "hex");
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
