// The standard streams of a program that must not end without a word.
#pragma once

namespace voldiff {

// Makes writing to a closed pipe fail instead of ending the program, and keeps the files that are opened later from
// taking the places of standard streams that are closed.
void guard_standard_streams();

// Throws Error(io) where results did not reach stdout.
void flush_results();

}  // namespace voldiff
