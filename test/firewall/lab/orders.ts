/** What a test asks of the agent in a namespace; each order is answered by one text. */
export type Order = { readonly id: number } & Wish;

export type Wish =
  /** Serves TCP and UDP on one address, or on `::` for all of both families. */
  | { readonly order: 'serve'; readonly address: string; readonly port: number }
  | {
      readonly order: 'ask';
      readonly protocol: 'tcp' | 'udp';
      readonly address: string;
      readonly port: number;
      /** Milliseconds to wait for the answer. */
      readonly patience: number;
    }
  | {
      readonly order: 'dial';
      readonly connection: number;
      readonly address: string;
      readonly port: number;
      readonly patience: number;
    }
  | { readonly order: 'say'; readonly connection: number; readonly patience: number }
  | { readonly order: 'hang up'; readonly connection: number };

export interface Answer {
  readonly id: number;
  readonly text: string;
}
