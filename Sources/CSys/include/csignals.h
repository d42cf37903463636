// Signals that ask a run to stop. Nothing but flags and one descriptor is touched when one arrives.
#ifndef CSIGNALS_H
#define CSIGNALS_H

// Begins to listen to USR1, USR2, INT, TERM and HUP. INT and HUP stay ignored when they were
// ignored at the start of the process (nohup, shells in the background).
// A second INT, TERM or HUP, later than a tenth of a second after the first, ends the process at
// once with 128 + its number. 0 when it worked.
int om_listen_to_signals(void);

// Waits until a signal arrives, om_wake is called, or the time is over; a negative time waits for
// ever.
void om_wait_for_signal(int milliseconds);

// Lets om_wait_for_signal return; any thread.
void om_wake(void);

// The first INT, TERM or HUP, and the first USR1 or USR2, that arrived; 0 when there was none.
int om_ending_signal(void);
int om_notice_signal(void);

// Ends the process with this exit code when the time is over, whatever its threads do then.
void om_end_after(int milliseconds, int code);

// Opens /dev/null in place of a standard descriptor that is closed, so that no file of the program
// takes its number and gets what is printed.
void om_fill_standard_descriptors(void);

#endif
