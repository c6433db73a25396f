/* Runs the session that the gate compiled, with a C library underneath and no std. */

int pop3_session(void);

/* The precompiled core names it, for an unwinding that panic=abort rules out. */
void rust_eh_personality(void) {}

int main(void) { return pop3_session(); }
