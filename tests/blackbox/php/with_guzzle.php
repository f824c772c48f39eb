<?php
// A client with Guzzle.
declare(strict_types=1);

require __DIR__ . '/asking.php';
require 'GuzzleHttp/autoload.php';

$client = new GuzzleHttp\Client(['http_errors' => false, 'timeout' => 30]);

answer_all(function (array $ask) use ($client): array {
    $options = ['headers' => $ask['authorization'] ? ['Authorization' => $ask['authorization']] : []];
    if ($ask['document'] !== null) {
        $options += $ask['body'] === 'json_as_form' ? ['body' => json_encode($ask['document'])] : ['json' => $ask['document']];
    } elseif ($ask['body'] === 'multipart') {
        foreach (written_out($ask['form']) as $name => $value) {
            $options['multipart'][] = ['name' => $name, 'contents' => (string) $value];
        }
    } elseif ($ask['form'] !== null) {
        $options['form_params'] = $ask['form'];
    }
    if ($ask['pair']) {
        $options['auth'] = $ask['pair'];
    }
    $response = $client->request($ask['method'], $ask['target'], $options);
    $headers = array_map(fn (array $values): string => implode(', ', $values), $response->getHeaders());
    return [$response->getStatusCode(), array_change_key_case($headers), (string) $response->getBody()];
});
