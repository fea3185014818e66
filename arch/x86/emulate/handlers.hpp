// The handlers of the emulated subset, by family. Each executes one instruction on the working registers,
// all but RIP.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/emulate/execution.hpp"

namespace px::emulate {

using Handler = Step<> (*)(Execution&);

/// The handler of an instruction, or nullptr if it isn't of the subset.
Handler find_handler(const Instruction& instruction);
/// May LOCK precede this instruction? [amd/apm3 1.2.5]
bool lock_is_legal(const Instruction& instruction);

// moves.cpp
Step<> move_to_rm(Execution& x);                     // 88, 89
Step<> move_from_rm(Execution& x);                   // 8A, 8B
Step<> move_immediate_to_rm(Execution& x);           // C6, C7
Step<> move_immediate_to_reg(Execution& x);          // B0–BF
Step<> move_from_offset(Execution& x);               // A0, A1
Step<> move_to_offset(Execution& x);                 // A2, A3
Step<> move_from_segment(Execution& x);              // 8C
Step<> move_zero_extended(Execution& x);             // 0F B6, B7
Step<> move_sign_extended(Execution& x);             // 0F BE, BF
Step<> move_doubleword_sign_extended(Execution& x);  // 63
Step<> move_conditionally(Execution& x);             // 0F 40–4F
Step<> set_conditionally(Execution& x);              // 0F 90–9F
Step<> move_non_temporal(Execution& x);              // 0F C3
Step<> move_from_rm_swapped(Execution& x);           // 0F38 F0
Step<> move_to_rm_swapped(Execution& x);             // 0F38 F1
Step<> load_effective_address(Execution& x);         // 8D

// arithmetic.cpp
Step<> binary_to_rm(Execution& x);  // 00–3B, even pairs
Step<> binary_from_rm(Execution& x);
Step<> binary_immediate_to_accumulator(Execution& x);
Step<> binary_immediate_to_rm(Execution& x);      // 80–83
Step<> test_rm_reg(Execution& x);                 // 84, 85
Step<> test_accumulator(Execution& x);            // A8, A9
Step<> group_3(Execution& x);                     // F6, F7
Step<> increment_or_decrement(Execution& x);      // FE, FF /0 /1
Step<> increment_or_decrement_reg(Execution& x);  // 40–4F
Step<> shift_rm(Execution& x);                    // C0, C1, D0–D3
Step<> shift_double(Execution& x);                // 0F A4, A5, AC, AD
Step<> bit_by_register(Execution& x);             // 0F A3, AB, B3, BB
Step<> bit_by_immediate(Execution& x);            // 0F BA
Step<> multiply_signed(Execution& x);             // 0F AF, 69, 6B

// exchange.cpp
Step<> exchange(Execution& x);                 // 86, 87
Step<> exchange_add(Execution& x);             // 0F C0, C1
Step<> compare_exchange(Execution& x);         // 0F B0, B1
Step<> compare_exchange_double(Execution& x);  // 0F C7 /1

// stack.cpp
Step<> push_rm(Execution& x);         // FF /6
Step<> push_reg(Execution& x);        // 50–57
Step<> push_immediate(Execution& x);  // 68, 6A
Step<> pop_rm(Execution& x);          // 8F /0
Step<> pop_reg(Execution& x);         // 58–5F

// string_ops.cpp
Step<> string_operation(Execution& x);  // 6C–6F, A4–A7, AA–AF

// port_ops.cpp
Step<> port_operation(Execution& x);  // E4–E7, EC–EF

// vector_moves.cpp
Handler find_vector_handler(const Instruction& instruction);

}  // namespace px::emulate
