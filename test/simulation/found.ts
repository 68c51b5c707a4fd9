/** Schedules that once broke an invariant, and what they hold the program to since. */
export const found: readonly { readonly seed: number; readonly claim: string }[] = [
  { seed: 29, claim: 'a session that finds nothing left to do ends, however late the ledger says so' },
  { seed: 36, claim: 'a submission of unknown fate keeps its place among the open jobs after a crash' },
  { seed: 110, claim: 'a submission of unknown fate keeps its place among the open jobs within a session' },
  {
    seed: 991,
    claim: 'a service with limits of its own and its account have room for a job at the same time',
  },
  {
    seed: 500478,
    claim: 'a twin of a task whose account was halted does not keep the others waiting for hours',
  },
  {
    seed: 6462,
    claim: 'what a pipeline reserved is given back to its own cap, though another one settles its call',
  },
  {
    seed: 7129,
    claim: 'what a dead session held for one use of a service keeps nobody waiting at another use of it',
  },
  {
    seed: 11738,
    claim: 'what a dead session held keeps no other pipeline waiting, though a new one of its name is alive',
  },
  {
    seed: 300746,
    claim: 'a job that was taken up while the clock was ahead is not given up as overdue once it is right',
  },
  {
    seed: 304934,
    claim: 'jobs of a dead session keep their places when the next one dies before it has told of them',
  },
  {
    seed: 310210,
    claim: 'two processes do not wait for each other, each with the place for a job that the other one needs',
  },
  {
    seed: 504620,
    claim: 'a clock that is days ahead hides no lost call, though the vendor never says what time it is',
  },
  {
    seed: 507095,
    claim: 'nor is a cap passed by paying for it again',
  },
  {
    seed: 21936,
    claim:
      'a long call that another pipeline sent is not looked for among jobs, and sent again for want of one',
  },
];
